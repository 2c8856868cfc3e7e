"""The two pages: the studio itself, and the login before it."""

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from heygem_pipeline.media.formats import PRESENTER_SUFFIXES, SCRIPT_SUFFIXES, VOICE_SUFFIXES
from heygem_pipeline.settings import Subtitles
from heygem_pipeline.studio.access import client_of, is_encrypted
from heygem_pipeline.studio.batches import LABELS, LOUDNESS, QUALITIES, engine_choices, usual_loudness
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.password_guesses import TooManyGuesses
from heygem_pipeline.studio.passwords import is_right
from heygem_pipeline.studio.sessions import COOKIE, SECONDS
from heygem_pipeline.studio.shared_state import Studio, studio_of
from heygem_pipeline.studio.texts import LANGUAGES, language_of, sentence_of, texts
from heygem_pipeline.web.guard import is_own

STATIC = Path(__file__).parent / "static"
LONGEST_FORM = 4096

_environment = Environment(
    loader=PackageLoader("heygem_pipeline.studio", "templates"), autoescape=True, undefined=StrictUndefined
)


def routes() -> list[Route]:
    """The pages."""
    return [
        Route("/", _page),
        Route("/login", _login),
        Route("/login", _log_in, methods=["POST"]),
        Route("/logout", _log_out, methods=["POST"]),
    ]


def _rendered(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    language = language_of(request)
    other = next(name for name in LANGUAGES if name != language)
    filled = _environment.get_template(template).render(
        t=texts(language), language=language, other=other, other_name=LANGUAGES[other], **values
    )
    return HTMLResponse(filled, status)


async def _page(request: Request) -> Response:
    studio = studio_of(request)
    limits = studio.settings
    facts = {
        "texts": texts(language_of(request)),
        "language": language_of(request),
        "voiceEndings": sorted(VOICE_SUFFIXES),
        "scriptEndings": sorted(SCRIPT_SUFFIXES),
        "presenterEndings": sorted(PRESENTER_SUFFIXES),
        "maxGigabytes": limits.studio_max_gb,
        "dagster": limits.studio_dagster.rstrip("/"),
    }
    return _rendered(
        request,
        "page.html",
        facts=json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c"),
        accept_voices=",".join(["audio/*", *sorted(VOICE_SUFFIXES | SCRIPT_SUFFIXES)]),
        accept_presenters=",".join(sorted(PRESENTER_SUFFIXES)),
        engines=await run_in_threadpool(_engines, studio, language_of(request)),
        usual_engine=limits.engine,
        qualities=list(QUALITIES),
        labels=list(LABELS),
        usual_label=limits.label.value if limits.label.value in LABELS else "start",
        subtitles=[choice.value for choice in Subtitles],
        usual_subtitles=limits.subtitles.value,
        loudness=LOUDNESS,
        usual_loudness=usual_loudness(limits),
        dagster=limits.studio_dagster,
        user=request.state.user or "",
        may_leave=bool(studio.rules.sessions.users),
    )


def _engines(studio: Studio, language: str) -> list[dict[str, str]]:
    """What the page says of each engine; ``lack`` is "" where it can be chosen."""
    said = texts(language)
    found = []
    for choice in engine_choices(studio.settings, studio.instance, studio.folders):
        fast = (
            said["engine.speed"].format(speed=f"{choice.speed:.1f}") if choice.speed else said["engine.speed.unknown"]
        )
        lack = without_paths(sentence_of(choice.lack, language), studio.folders.root) if choice.lack else ""
        terms = sentence_of(choice.terms, language)
        found.append({"name": choice.name, "speed": fast, "terms": terms, "lack": lack})
    return found


async def _login(request: Request) -> Response:
    if request.state.user is not None:
        return RedirectResponse("./", 303)
    return _rendered(request, "login.html", wrong="")


async def _log_in(request: Request) -> Response:
    """An unknown name takes as long as a wrong password."""
    rules = studio_of(request).rules
    if not is_own(request, rules.proxies):
        return _rendered(request, "login.html", 429, wrong="too_often")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return _rendered(request, "login.html", 413, wrong="wrong")
    try:
        told = json.loads(body)
        user, password = str(told["user"]), str(told["password"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _rendered(request, "login.html", 400, wrong="wrong")
    stored = rules.sessions.users.get(user) or next(iter(rules.sessions.users.values()), None)

    def lets_in() -> bool:
        return stored is not None and is_right(password, stored) and user in rules.sessions.users

    try:
        right = await studio_of(request).guesses.check(client_of(request, rules.proxies), lets_in)
    except TooManyGuesses:
        return _rendered(request, "login.html", 429, wrong="too_often")
    if not right:
        return _rendered(request, "login.html", 401, wrong="wrong")
    answer = Response(status_code=204)
    encrypted = is_encrypted(request, rules.proxies)
    answer.set_cookie(
        COOKIE, rules.sessions.begin(user), SECONDS, secure=encrypted, httponly=True, samesite="lax", path=None
    )
    return answer


async def _log_out(request: Request) -> Response:
    studio_of(request).rules.sessions.end(request.cookies.get(COOKIE, ""))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path=None)  # pyright: ignore[reportArgumentType]
    return answer
