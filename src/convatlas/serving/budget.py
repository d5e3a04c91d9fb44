"""How many bytes clients may have in memory, and the pictures that take them."""

from convatlas.serving.multipart import Upload
from convatlas.serving.problems import busy


class Budget:
    """The bytes that clients have sent and that are in memory, bodies half read among them."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, size: int) -> None:
        """Raises `Problem` 503 if so much is not left."""
        if size > self.left:
            raise busy(1, "memory")
        self.left -= size

    def give_back(self, size: int) -> None:
        """What `take` took."""
        self.left += size


class Sent:
    """A picture as it was sent, until it is decoded. Its bytes have been taken from the budget."""

    __slots__ = ("_budget", "blob", "name")

    def __init__(self, upload: Upload, budget: Budget) -> None:
        self.name, self.blob = upload.name, upload.blob
        self._budget = budget

    def drop(self) -> None:
        """The bytes are needed no more; once is enough, twice does no harm."""
        self._budget.give_back(len(self.blob))
        self.blob = b""
