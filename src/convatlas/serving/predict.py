"""``POST /predict``: read, decode in threads, run in a batch, answer."""

import asyncio
import re
from dataclasses import dataclass

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from convatlas.data.decode import DecodeError
from convatlas.runtime.classifier import Pictures
from convatlas.serving.answers import Prediction, Predictions, guesses
from convatlas.serving.batcher import EngineFailed, Full, Place, Stopped
from convatlas.serving.body import Body
from convatlas.serving.multipart import Upload
from convatlas.serving.problems import CLIENT_GONE, Problem, busy
from convatlas.serving.service import Probabilities, Service
from convatlas.serving.token import check

TOP = 5
COUNT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

Room = Place[Pictures, Probabilities]


@dataclass(frozen=True, slots=True)
class Clock:
    """When a request must have been answered."""

    seconds: float
    until: float

    def left(self) -> float:
        """Seconds, never below 0."""
        return max(0.0, self.until - asyncio.get_running_loop().time())


async def predict(service: Service, request: Request) -> Response:
    """The most probable classes of each picture. Raises `Problem`."""
    seconds = service.limits.timeout
    clock = Clock(seconds, asyncio.get_running_loop().time() + seconds)
    check(request, service.token)
    top = _top(request)
    _room(service, 1)
    body = Body(request, service.limits, service.budget)
    try:
        uploads = await _read(body, clock)
        predictions = await _classify(service, request, uploads, top, clock)
    finally:
        body.give_back()
    if len(predictions) == 1 and predictions[0].error is not None:
        raise Problem(422, f"the picture cannot be used: {predictions[0].error}")
    answer = Predictions(network=service.model.network, predictions=predictions)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _top(request: Request) -> int:
    given = request.query_params.getlist("top") or [str(TOP)]
    if len(given) > 1 or not COUNT.fullmatch(given[0]):
        raise Problem(400, f"top={','.join(given)[:40]}: a number from 1 on is expected, once")
    return int(given[0])


def _room(service: Service, count: int) -> None:
    try:
        service.batcher.room(count)
    except Full as full:
        raise busy(full.seconds, "queue") from None


async def _read(body: Body, clock: Clock) -> tuple[Upload, ...]:
    try:
        async with asyncio.timeout(clock.left()):
            return await body.uploads()
    except TimeoutError:
        raise Problem(
            408, f"the body did not arrive within {clock.seconds:g} s; send it again", why="slow"
        ) from None
    except ClientDisconnect:
        raise Problem(CLIENT_GONE, "the client went away") from None


async def _classify(
    service: Service, request: Request, uploads: tuple[Upload, ...], top: int, clock: Clock
) -> tuple[Prediction, ...]:
    """All pictures together; what is not begun is dropped if time runs out or the client goes."""
    try:
        places = service.batcher.claim(len(uploads))
    except Full as full:
        raise busy(full.seconds, "queue") from None
    tasks = [
        asyncio.ensure_future(_one(service, place, sent, top))
        for place, sent in zip(places, uploads, strict=True)
    ]
    work = asyncio.gather(*tasks, return_exceptions=True)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, gone), timeout=clock.left(), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return tuple(_answered(each) for each in work.result())
    except EngineFailed:
        service.metrics.failed.inc()
        raise Problem(500, "the engine failed on this batch; the server's log says why") from None
    except Stopped:
        raise Problem(503, "the server is stopping; send it to another") from None
    finally:
        for task in (*tasks, gone):
            task.cancel()
        for place in places:
            place.give_back()
    if gone.done():
        raise Problem(CLIENT_GONE, "the client went away")
    raise Problem(504, f"not answered within {clock.seconds:g} s; try again later", why="timeout")


async def _one(service: Service, place: Room, sent: Upload, top: int) -> Prediction:
    loop = asyncio.get_running_loop()
    try:
        picture = await loop.run_in_executor(service.decoders, service.decode, sent.blob)
    except DecodeError as error:
        place.give_back()
        service.metrics.undecodable.inc()
        return Prediction(name=sent.name, guesses=(), error=error.reason)
    probabilities = await place.answer(picture)
    place.give_back()
    service.metrics.pictures.inc()
    found = guesses(service.classifier, probabilities, top)
    return Prediction(name=sent.name, guesses=found, error=None)


def _answered(found: Prediction | BaseException) -> Prediction:
    if isinstance(found, BaseException):
        raise found
    return found


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
