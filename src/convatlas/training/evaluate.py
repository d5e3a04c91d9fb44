"""Reading a network's scores over a set, and what they amount to."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.data.augment import Augment
from convatlas.data.dataset import Pictures
from convatlas.data.preprocess import Preprocess
from convatlas.training.machine import Machine

EVALUATION_BATCH = 500  # small enough that the first maps of a LeNet stay in the cache


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores (N, classes) and true labels (N) of one part, both on the CPU."""

    scores: Tensor
    labels: Tensor

    @property
    def predicted(self) -> Tensor:
        """The highest-scoring class of each picture."""
        return self.scores.argmax(1)

    @property
    def count(self) -> int:
        """Pictures evaluated."""
        return len(self.labels)

    @property
    def errors(self) -> int:
        """Pictures whose highest score is not the true class."""
        return int((self.predicted != self.labels).sum())

    @property
    def error(self) -> float:
        """Share of pictures classified wrongly (top-1 error)."""
        return self.errors / self.count

    @property
    def top5_errors(self) -> int:
        """Pictures whose class is not among the five highest scores."""
        best = self.scores.topk(min(5, self.scores.shape[1]), 1).indices
        return self.count - int((best == self.labels[:, None]).any(1).sum())

    @property
    def confusion(self) -> Tensor:
        """Counts by (true class, predicted class)."""
        classes = self.scores.shape[1]
        cells = torch.bincount(self.labels * classes + self.predicted, minlength=classes**2)
        return cells.view(classes, classes)

    def worst(self, most: int) -> Tensor:
        """Indices of the wrongly classified pictures, the most confidently wrong first."""
        probability = self.scores.softmax(1)
        wrong = (self.predicted != self.labels).nonzero()[:, 0]
        certainty = probability[wrong].amax(1) - probability[wrong, self.labels[wrong]]
        return wrong[certainty.argsort(descending=True)[:most]]


def evaluate(
    model: nn.Module,
    pictures: Pictures,
    *,
    preprocess: Preprocess,
    augment: Augment,
    machine: Machine,
) -> Evaluation:
    """Score every picture as prediction would: evaluation mode, centre crop, nothing random.

    The model's mode is put back afterwards.
    """
    was_training, local = model.training, preprocess.to(machine.device)
    model.eval()
    with torch.no_grad(), machine.autocast():
        scores = [
            model(machine.layout(local(augment.centre(batch.to(machine.device))))).float().cpu()
            for batch in torch.split(pictures.images, EVALUATION_BATCH)
        ]
    model.train(was_training)
    return Evaluation(torch.cat(scores), pictures.labels.cpu())


def confusions(evaluation: Evaluation, most: int) -> list[tuple[int, int, int]]:
    """The commonest mistakes as (true class, predicted class, count), most frequent first."""
    table = evaluation.confusion.fill_diagonal_(0)
    counts, cells = table.flatten().sort(descending=True, stable=True)
    return [
        (int(cell) // len(table), int(cell) % len(table), int(count))
        for count, cell in zip(counts[:most], cells[:most], strict=True)
        if count
    ]
