"""``[plugins.sso]``: who may vouch for people, and how each is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema

from core.api import SecretField, ValidationError, fields, validate, validates_schema

from .providers import clerk, google, linkedin

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_NO_PATH = "Must be an origin such as https://app.example.org, without a path."


def _url(description: str, *aliases: str, default: str | None = None, required: bool = False) -> fields.Url:
    given: dict[str, Any] = {"required": True} if required else {"load_default": default, "allow_none": True}
    return fields.Url(
        schemes={"http", "https"},
        require_tld=False,
        metadata={"description": description, "aliases": list(aliases)},
        **given,
    )


def _text(description: str, *aliases: str, required: bool = False) -> fields.String:
    given: dict[str, Any] = {"required": True} if required else {"load_default": None, "allow_none": True}
    return fields.String(
        validate=validate.Length(min=1, max=500),
        metadata={"description": description, "aliases": list(aliases)},
        **given,
    )


def _texts(description: str, *values: str) -> fields.List:
    return fields.List(
        fields.String(validate=validate.Length(min=1, max=500)),
        load_default=lambda: list(values),
        validate=validate.Length(max=50),
        metadata={"description": description},
    )


def _switch(description: str, *, default: bool) -> fields.Boolean:
    return fields.Boolean(load_default=default, metadata={"description": description})


def _is_origin(text: str) -> None:
    parts = urlsplit(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValidationError(_NO_PATH)


_SIGN_UP = "Whether somebody unknown, whose address is vouched for, gets an account."
_AUTHORITATIVE = "Whether its word on an address is enough to enter the account that has this address."


class ClientSchema(Schema):
    """What every provider of sign-in has. Unset ``client_id``: not offered."""

    scopes = _texts("Scopes to ask for.", "openid", "profile", "email")
    redirect_uri = _url("Where the provider sends people back; unset: this route below server.public_url.")
    sign_up = _switch(_SIGN_UP, default=True)
    email_authoritative = _switch(_AUTHORITATIVE, default=False)


class GoogleSchema(ClientSchema):
    """``[plugins.sso.google]``."""

    issuer = _url("Who signs the tokens.", default=google.ISSUER)
    client_id = _text("Of the OAuth client of type web application.", "GOOGLE_CLIENT_ID")
    client_secret = SecretField(
        load_default=None,
        allow_none=True,
        metadata={"description": "Goes with client_id.", "aliases": ["GOOGLE_CLIENT_SECRET"]},
    )
    hosted_domains = _texts("Google Workspace domains whose people may sign in; empty: everybody.")
    email_authoritative = _switch(
        f"{_AUTHORITATIVE} For addresses that Google itself keeps: @gmail.com and Workspace.", default=True
    )


class LinkedInSchema(ClientSchema):
    """``[plugins.sso.linkedin]``."""

    issuer = _url("Who signs the tokens.", default=linkedin.ISSUER)
    client_id = _text("Of the app with the product Sign In with LinkedIn.", "LINKEDIN_CLIENT_ID")
    client_secret = SecretField(
        load_default=None,
        allow_none=True,
        metadata={"description": "Goes with client_id.", "aliases": ["LINKEDIN_CLIENT_SECRET"]},
    )
    redirect_uri = _url("Where LinkedIn sends people back; unset: our route.", "LINKEDIN_REDIRECT_URI")
    pkce = _switch("LinkedIn refuses PKCE for apps it has not enabled it for.", default=False)


class OidcSchema(ClientSchema):
    """``[plugins.sso.oidc.<slug>]``: any issuer with a discovery document."""

    title = _text("What the button says; unset: the slug.")
    issuer = _url("As its discovery document spells it.", required=True)
    client_id = _text("What the issuer calls us.", required=True)
    client_secret = SecretField(
        load_default=None, allow_none=True, metadata={"description": "Unset: a public client."}
    )
    token_auth = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(["client_secret_basic", "client_secret_post", "none"]),
        metadata={"description": "How we show client_secret; unset: as the discovery document says."},
    )


class TokensSchema(Schema):
    """What every issuer of exchanged tokens has."""

    jwks_url = _url("Where its keys are; unset: as its discovery document says.")
    authorized_parties = _texts("Values of azp that are accepted beside the audience.")
    max_age = fields.Integer(
        load_default=3600,
        validate=validate.Range(10, 86400),
        metadata={"description": "Seconds since its issue after which a token begins no session."},
    )
    accept_bearer = _switch("Whether its tokens are accepted as they are, without exchange.", default=False)
    sign_up = _switch(_SIGN_UP, default=True)
    email_authoritative = _switch(_AUTHORITATIVE, default=False)


class IssuerSchema(TokensSchema):
    """``[plugins.sso.tokens.<slug>]``: an issuer whose tokens are exchanged for sessions of ours."""

    issuer = _url("The tokens' iss, to the letter.", required=True)
    audience = _text("The tokens' aud; without one, tokens meant for others would do.", required=True)


class ClerkSchema(TokensSchema):
    """``[plugins.sso.clerk]``: a shorthand for Clerk's tokens. Unset ``publishable_key``: not accepted."""

    publishable_key = _text("Names Clerk's address of your application.", "CLERK_PUBLISHABLE_KEY")
    audience = _text("The aud that your session token template sets.")

    @validates_schema
    def _is_whole(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("publishable_key"):
            return
        if not data.get("audience"):
            raise ValidationError("Must be set, or tokens meant for others would do.", "audience")
        try:
            clerk.issuer_of(data["publishable_key"])
        except ValueError:
            raise ValidationError("Must begin with pk_live_ or pk_test_.", "publishable_key") from None


def _by_slug(schema: type[Schema], description: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=[validate.Regexp(SLUG, error="is no slug"), validate.Length(max=40)]),
        values=fields.Nested(schema),
        load_default=dict,
        metadata={"description": description},
    )


class ConfigSchema(Schema):
    """Settings of the sso plugin; core resolves them from environment, file and API."""

    frontend_url = _url("Where people land unless next says otherwise.", "FRONTEND_URL", "APP_URL")
    return_origins = fields.List(
        fields.Url(schemes={"http", "https"}, require_tld=False, validate=_is_origin),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "Further origins that people may be sent back to."},
    )
    google = fields.Nested(GoogleSchema, load_default=lambda: GoogleSchema().load({}))
    linkedin = fields.Nested(LinkedInSchema, load_default=lambda: LinkedInSchema().load({}))
    clerk = fields.Nested(ClerkSchema, load_default=lambda: ClerkSchema().load({}))
    oidc = _by_slug(OidcSchema, "OpenID Connect issuers, by the slug that stands in their URLs.")
    tokens = _by_slug(IssuerSchema, "Issuers whose tokens are exchanged, by a name of your choice.")

    @validates_schema
    def _is_one_each(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("google", "linkedin"):
            if bool(data[name].get("client_id")) != bool(data[name].get("client_secret")):
                raise ValidationError({name: {"client_secret": ["Must go together with client_id."]}})
        issuers = [each["issuer"] for each in data["tokens"].values()]
        if len(set(issuers)) != len(issuers):
            raise ValidationError("Must name each issuer once.", "tokens")


Settings = Mapping[str, Any]
