"""``POST /predict``: read, decode, run in a batch, answer."""

import asyncio
import re

import msgspec
import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from convatlas.data.decode import DecodeError
from convatlas.runtime.classifier import Pictures
from convatlas.serving.answers import Prediction, Predictions, guesses
from convatlas.serving.batcher import EngineFailed, Full, Place, Stopped
from convatlas.serving.body import Body
from convatlas.serving.budget import Sent
from convatlas.serving.deadline import Deadline, Watch
from convatlas.serving.problems import CLIENT_GONE, Problem, busy
from convatlas.serving.service import Probabilities, Service
from convatlas.serving.token import check

TOP = 5
COUNT = re.compile("[1-9][0-9]*", re.ASCII)
NO_NUMBERS = "the network's scores of it are no numbers"

Room = Place[Pictures, Probabilities]
Row = asyncio.Future[Probabilities]


async def predict(service: Service, request: Request) -> Response:
    """The most probable classes of each picture. Raises `Problem`."""
    seconds = service.limits.timeout
    deadline = Deadline(seconds, asyncio.get_running_loop().time() + seconds)
    check(request, service.token)
    top = _top(request)
    _room(service, 1)
    sent = await _read(Body(request, service.limits, service.budget), deadline)
    names = [each.name for each in sent]
    found = await _rows(service, request, sent, deadline)
    predictions = tuple(
        _prediction(service, name, row, top) for name, row in zip(names, found, strict=True)
    )
    if len(predictions) == 1 and (error := predictions[0].error) is not None:
        raise Problem(500 if error == NO_NUMBERS else 422, f"the picture cannot be used: {error}")
    answer = Predictions(network=service.model.network, predictions=predictions)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _top(request: Request) -> int:
    for name in request.query_params:
        if name != "top":
            raise Problem(400, f"there is no parameter {name[:40]!r}; the only one is top")
    given = request.query_params.getlist("top") or [str(TOP)]
    if len(given) > 1 or not COUNT.fullmatch(given[0]):
        raise Problem(400, f"top={','.join(given)[:40]}: a number from 1 on is expected, once")
    return int(given[0][:9])  # so many classes has nothing; Python reads no number of 5000 digits


def _room(service: Service, count: int) -> None:
    try:
        service.batcher.room(count)
    except Full as full:
        raise busy(full.seconds, "queue") from None


async def _read(body: Body, deadline: Deadline) -> tuple[Sent, ...]:
    try:
        async with asyncio.timeout(deadline.left()):
            return await body.pictures()
    except TimeoutError:
        raise Problem(
            408, f"the body did not arrive within {deadline.seconds:g} s; send it again", why="slow"
        ) from None
    except ClientDisconnect:
        raise Problem(CLIENT_GONE, "the client went away") from None


async def _rows(
    service: Service, request: Request, sent: tuple[Sent, ...], deadline: Deadline
) -> list[Probabilities | DecodeError]:
    """Of all pictures; what has not begun is dropped if time runs out or the client goes."""
    try:
        places = service.batcher.claim(len(sent))
    except Full as full:
        for each in sent:
            each.drop()
        raise busy(full.seconds, "queue") from None
    rows: list[Row] = []
    try:
        for place, each in zip(places, sent, strict=True):
            rows.append(_begin(service, place, each))
        return await _awaited(request, rows, deadline)
    except MemoryError:
        raise busy(1, "decoding") from None
    except EngineFailed:
        service.metrics.failed.inc()
        raise Problem(500, "the engine failed on this batch; the server's log says why") from None
    except Stopped:
        raise Problem(503, "the server is stopping; send it to another", why="stopped") from None
    finally:
        for each in sent[len(rows) :]:
            each.drop()
        for row in rows:
            _forget(row)
        for place in places:
            place.give_back()


def _begin(service: Service, place: Room, sent: Sent) -> Row:
    """Decode a picture and put it into its place; what is tiny is there when this returns."""
    try:
        pictures = service.decoders.at_once(sent)
    except (DecodeError, MemoryError) as error:
        place.give_back()
        row: Row = asyncio.get_running_loop().create_future()
        row.set_exception(error)
        return row
    if pictures is not None:
        return place.answer(pictures)
    decoded = service.decoders.begin(sent)
    task = asyncio.ensure_future(_when_decoded(place, decoded))
    task.add_done_callback(lambda _: decoded.cancel())  # it may be cancelled before its first step
    return task


async def _when_decoded(place: Room, decoded: asyncio.Future[Pictures]) -> Probabilities:
    try:
        pictures = await decoded
    except BaseException:
        place.give_back()  # the next batch need not wait for it
        raise
    return await place.answer(pictures)


async def _awaited(
    request: Request, rows: list[Row], deadline: Deadline
) -> list[Probabilities | DecodeError]:
    watch = Watch(request, rows, deadline)
    try:
        return [await _found(row) for row in rows]
    except asyncio.CancelledError:
        if watch.problem is not None:
            raise watch.problem from None
        raise
    finally:
        watch.end()


async def _found(row: Row) -> Probabilities | DecodeError:
    """What came of a picture; raises what is not the picture's fault."""
    try:
        return await row
    except DecodeError as error:
        return error


def _forget(row: Row) -> None:
    """It is wanted no more, and asyncio need not complain that nobody looked at its error."""
    if not row.cancel() and not row.cancelled():
        row.exception()


def _prediction(
    service: Service, name: str | None, found: Probabilities | DecodeError, top: int
) -> Prediction:
    if isinstance(found, DecodeError):
        service.metrics.undecodable.inc()
        return Prediction(name=name, guesses=(), error=found.reason)
    if not np.isfinite(found).all():
        service.metrics.failed.inc()
        return Prediction(name=name, guesses=(), error=NO_NUMBERS)
    service.metrics.pictures.inc()
    return Prediction(name=name, guesses=guesses(service.classifier, found, top), error=None)
