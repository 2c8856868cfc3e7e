"""Dagster's page in a process of its own: its application, behind the guard that the Studio has."""

from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heygem_pipeline.operations.dagster_answers import Webserver
from heygem_pipeline.operations.dagster_filmstrips import WithFilmstrips
from heygem_pipeline.runs.dagster_internals import prepare_webserver, workspace_of
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.paths import DataFolders, project_folder
from heygem_pipeline.web.guard import Guard, foreign, is_own, refuse
from heygem_pipeline.web.http_server import serve

GRAPHQL = "/graphql"

POLICY = "frame-ancestors 'self'"
"""Beside Dagster's own policy: a browser keeps to both."""

HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}

MILLISECONDS_OF_A_QUERY, SECONDS_OF_A_DATABASE_CONNECTION, MOST_DATABASE_CONNECTIONS = 15_000, 3600, 20
"""What Dagster's own command takes."""

MILLISECONDS_BETWEEN_LOOKS = 2000


class GuardedPage:
    """Dagster's application; nothing that another page sends reaches it and acts."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand the rest on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("content-security-policy", POLICY)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        connection = HTTPConnection(scope)
        answer = self.guard.refusal(connection) or self._acting_by_address(connection)
        if answer is not None:
            await refuse(answer, scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    def _acting_by_address(self, connection: HTTPConnection) -> Response | None:
        """Dagster would run a mutation that stands in an address: a picture in a foreign page would be enough."""
        query = connection.query_params.get("query")
        if query is None or not connection.url.path.rstrip("/").endswith(GRAPHQL):
            return None
        if not is_own(connection, self.guard.proxies):
            return foreign()
        if connection.scope["type"] == "http" and connection.scope["method"] != "POST" and mutates(query):
            return PlainTextResponse("A mutation is sent by POST.", 405, {"allow": "POST"})
        return None


def mutates(query: str) -> bool:
    """Does a GraphQL document hold a mutation, or what cannot be told?"""
    try:
        document = parse(query, no_location=True)
    except GraphQLSyntaxError:
        return False
    except RecursionError:
        return True
    return any(
        isinstance(part, OperationDefinitionNode) and part.operation is OperationType.MUTATION
        for part in document.definitions
    )


def run_dagster_webserver(
    folders: DataFolders, chosen: Settings, guard: Guard, host: str, port: int, path_prefix: str
) -> None:
    """Serve the page until Ctrl-C or SIGTERM."""
    prepare_webserver()
    with open_instance(folders) as instance:
        instance.optimize_for_webserver(
            MILLISECONDS_OF_A_QUERY, SECONDS_OF_A_DATABASE_CONNECTION, MOST_DATABASE_CONNECTIONS
        )
        with workspace_of(instance, project_folder() / "workspace.yaml") as workspace:
            webserver = Webserver(workspace, path_prefix, MILLISECONDS_BETWEEN_LOOKS, folders, chosen)
            page = webserver.create_asgi_app()
            serve(GuardedPage(WithFilmstrips(page, folders), guard), host, port)
