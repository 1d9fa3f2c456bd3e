"""Plain requests to Graph and to the token endpoint."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from entra_conformance.outcome import CannotCheckError
from entra_conformance.redacted import Redacted, Vault, neutral
from entra_conformance.target import Target

_TIMEOUT = aiohttp.ClientTimeout(total=60)
_LARGEST: Final = 8 * 1024 * 1024
_REPEATS: Final = 6
_BUSY_PAUSES: Final = 5
# Seconds before the end of an access token at which the next one is requested.
_EARLY: Final = 300
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TRACE = re.compile(r"\s*Trace ID:.*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer whose values are redacted; `body` is None if it is no JSON object."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] | None

    def member(self, name: str) -> Any:
        """Return a member of the body.

        Raises:
            CannotCheckError: the body lacks it.
        """
        if self.body is None or name not in self.body:
            raise CannotCheckError(f"the answer ({self.told()}) has no '{name}'")
        return self.body[name]

    def told(self, *, text: bool = False) -> str:
        """Return status, code and on request the message, without ids and times."""
        error = (self.body or {}).get("error")
        if isinstance(error, dict):
            message = f": {neutral(str(error.get('message')))}" if text else ""
            return f"{self.status} {error.get('code')}{message}"
        if isinstance(error, str):
            description = str((self.body or {}).get("error_description", ""))
            number, _, rest = _TRACE.sub("", description).partition(": ")
            message = f": {neutral(rest)}" if text else ""
            return f"{self.status} {error} {number}{message}"
        return str(self.status)


class Client:
    """Signs in as the target says; use it as an asynchronous context manager.

    Attributes:
        existing: object ids of applications that there are, whatever a replica that lags says: a
            write to one of them that is answered by 404 is sent again.
    """

    def __init__(self, target: Target, vault: Vault) -> None:
        self._target = target
        self._vault = vault
        self._token = Redacted("")
        self._expires = 0.0
        trust = ssl.create_default_context(cafile=target.ca_file)
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self._ahead = 0.0
        self.existing: set[str] = set()

    def _is_late(self, answer: Answer) -> bool:
        """Return whether a replica does not know an application yet that there is."""
        error = str((answer.body or {}).get("error"))
        return answer.status == 404 and any(one in error for one in self.existing)

    def now(self) -> float:
        """Return the server's time by its last `Date`: assertions must not depend on our clock."""
        return time.time() + self._ahead

    @property
    def token_url(self) -> str:
        """The tenant's token endpoint."""
        return self.token_url_of(self._target.tenant)

    def token_url_of(self, tenant: str) -> str:
        """Return the token endpoint of any tenant."""
        return f"{self._target.authority}/{tenant}/oauth2/v2.0/token"

    async def sign_in(self) -> None:
        """Get the token for Graph.

        Raises:
            CannotCheckError: the sign-in was refused.
        """
        answer = await self.token(**self.own_credential())
        if answer.status != 200:
            raise CannotCheckError(f"the sign-in was refused: {answer.told(text=True)}")
        self._token = answer.member("access_token")
        self._expires = self.now() + float(answer.member("expires_in")) - _EARLY

    def own_credential(self) -> dict[str, str]:
        """Return the fields of a token request that carry the target's credential."""
        target = self._target
        if target.secret is not None:
            return {"client_secret": target.secret.reveal()}
        if target.certificate is None:
            raise CannotCheckError("there is neither a secret nor a certificate")
        assertion = target.certificate.assertion(target.client_id, self.token_url, self.now())
        return {
            "client_assertion": self._vault.keep(assertion).reveal(),
            "client_assertion_type": ASSERTION_TYPE,
        }

    async def token(self, tenant: str = "", **form: str) -> Answer:
        """Request a token for Graph; `form` replaces fields, and an empty one leaves it out."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self._target.client_id,
            "scope": f"{self._target.graph}/.default",
            **form,
        }
        sent = {name: value for name, value in fields.items() if value}
        url = self.token_url_of(tenant or self._target.tenant)
        return await self._send("POST", url, data=sent)

    async def asserted(self, assertion: str, **form: str) -> Answer:
        """Request a token with an assertion as the credential."""
        self._vault.keep(assertion)
        kind = ASSERTION_TYPE
        return await self.token(client_assertion=assertion, client_assertion_type=kind, **form)

    async def get_url(self, path: str) -> Answer:
        """Read a document of the authority's host, such as the discovery document."""
        return await self._send("GET", f"{self._target.authority}/{path}")

    async def post_form(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        """Send a form to the authority's host, as it stands."""
        url = f"{self._target.authority}/{path}"
        return await self._send("POST", url, data=dict(form), headers=headers)

    async def graph(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> Answer:
        """Send a request below Graph's root, again while Graph is busy.

        Args:
            method: of HTTP.
            path: with the version, such as `v1.0/applications`.
            body: JSON; None sends none.
            token: replaces the access token; an empty one sends no `Authorization`.
            headers: more headers, with `_` for `-`.
        """
        bearer = self._token.reveal() if token is None else token
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        url = f"{self._target.graph}/{path}"
        if token is None and self._expires <= self.now():
            await self.sign_in()
            sent["Authorization"] = f"Bearer {self._token.reveal()}"
        for _ in range(_REPEATS):
            answer = await self._send(method, url, json=body, headers=sent)
            if not (_is_busy(answer) or (method != "GET" and self._is_late(answer))):
                break
            await self._target.patience.sleep(self._target.patience.pause * _BUSY_PAUSES)
        return answer

    async def _send(self, method: str, url: str, **sent: Any) -> Answer:
        if self._session is None:
            raise AssertionError("the client is not open")
        # A redirect would carry the credential to another host.
        try:
            async with self._session.request(
                method, url, ssl=self._trust, allow_redirects=False, **sent
            ) as answer:
                content = await _content(answer)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CannotCheckError(f"no answer: {type(error).__name__}") from None
        self._note_time(headers.get("date", ""))
        return Answer(status=status, headers=headers, body=self._parsed(content))

    def _note_time(self, date: str) -> None:
        try:
            self._ahead = parsedate_to_datetime(date).timestamp() - time.time()
        except ValueError:
            return  # without a date, the last one counts

    def _parsed(self, content: bytes) -> dict[str, Any] | None:
        try:
            document = json.loads(content) if content else None
        except ValueError:
            return None
        hidden = self._vault.hide_in(document)
        return hidden if isinstance(hidden, dict) else None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=self._target.proxied)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    """Return the content of an answer.

    Raises:
        CannotCheckError: it is larger than what Graph answers to any of our requests.
    """
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > _LARGEST:
            raise CannotCheckError("the answer is too large")
    return bytes(content)


def _is_busy(answer: Answer) -> bool:
    """Return whether Graph asked for another try: nothing was done (RFC 6585, section 4)."""
    return answer.status == 429 or answer.told() == "409 Directory_ConcurrencyViolation"
