"""API Gateway's JWT authorizer: checks a Cognito token against the pool's published keys.

The signature is joserfc's business. The emulator's Cognito issues the tokens.
"""

import json
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from clicklake.local.emulator import Emulator

_ALGORITHMS = ["RS256"]  # what API Gateway takes; "none" and shared secrets are not among them


@dataclass(frozen=True)
class Authorizer:
    issuer: str
    audience: str
    keys: KeySet
    clock: Callable[[], float] = time.time

    def claims(self, authorization: str) -> Mapping[str, Any] | None:
        """The claims of the token in an Authorization header; None where it is not to be trusted."""
        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else authorization.strip()
        try:
            claims = jwt.decode(token, self.keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(self.clock()),
                iss={"essential": True, "value": self.issuer},
                exp={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        # API Gateway looks at client_id only where there is no aud.
        audience = claims.get("aud", claims.get("client_id"))
        return claims if self.audience in (audience if isinstance(audience, list) else [audience]) else None


@dataclass(frozen=True)
class UserPool:
    """A Cognito user pool in the emulator, with one client."""

    emulator: Emulator
    pool_id: str
    client_id: str

    @staticmethod
    def create(emulator: Emulator, name: str = "clicklake-customers") -> "UserPool":
        cognito = emulator.client("cognito-idp")
        pool_id = cognito.create_user_pool(PoolName=name)["UserPool"]["Id"]
        made = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="shop")
        return UserPool(emulator, pool_id, made["UserPoolClient"]["ClientId"])

    def authorizer(self) -> Authorizer:
        region = self.pool_id.partition("_")[0]
        address = f"{self.emulator.endpoint_url}/{self.pool_id}/.well-known/jwks.json"
        with urllib.request.urlopen(address, timeout=10) as answer:
            keys = KeySet.import_key_set(json.load(answer))
        return Authorizer(f"https://cognito-idp.{region}.amazonaws.com/{self.pool_id}", self.client_id, keys)

    def sign_in(self, user: str) -> str:
        """An ID token of `user`, who is made where they do not exist yet."""
        cognito = self.emulator.client("cognito-idp")
        password = f"Aa1!{uuid.uuid4()}"
        try:
            cognito.admin_create_user(UserPoolId=self.pool_id, Username=user)
        except cognito.exceptions.UsernameExistsException:
            pass
        cognito.admin_set_user_password(UserPoolId=self.pool_id, Username=user, Password=password, Permanent=True)
        answer = cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
        return answer["AuthenticationResult"]["IdToken"]
