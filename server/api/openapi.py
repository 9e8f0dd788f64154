"""/api/openapi.json, made from the models that the routes read and the pages are shown."""

import asyncio
from functools import cache
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.api import (
    accounts,
    clerks,
    counts,
    factors,
    hooks,
    oidc,
    policies,
    prechecks,
    procedures,
    records,
    rest,
    second_step,
    tokens,
)
from server.api import administration as admin
from server.api import nouns as n
from server.api.body import answer
from server.api.step_nouns import AskedAnswer, CallAnswer
from server.procedures.cards import DocumentsAnswer
from server.procedures.catalog import ProceduresAnswer

routes = web.RouteTableDef()
Refs = dict[Any, dict[str, Any]]
REF = "#/components/schemas/{model}"

# method, path, what it does, body, answer
TABLE: tuple[tuple[str, str, str, type[BaseModel] | None, type[BaseModel] | None], ...] = (
    ("get", "/api/v1/me", "Say who is signed in", None, n.MeAnswer),
    ("get", "/api/v1/municipalities", "List municipalities", None, n.MunicipalitiesAnswer),
    ("post", "/api/v1/sign-in", "Sign in with a password", accounts.SignInBody, n.MeAnswer),
    ("post", "/api/v1/sign-out", "Sign out", None, None),
    ("post", "/api/v1/links", "Use up a one-time link", accounts.LinkBody, n.LinkAnswer),
    ("post", "/api/v1/oidc/begin", "Begin by a directory", oidc.BeginBody, n.GoAnswer),
    ("post", "/api/v1/oidc/finish", "Come back from it", oidc.FinishBody, n.LinkAnswer),
    ("post", "/api/v1/password", "Set a password", accounts.PasswordBody, None),
    ("post", "/api/v1/enrol", "Enrol a tablet", accounts.CodeBody, n.MeAnswer),
    ("post", "/api/v1/tablet/challenge", "Ask a tablet for its key", None, n.ChallengeAnswer),
    ("post", "/api/v1/tablet/proof", "Show the tablet's key", accounts.ProofBody, n.MeAnswer),
    ("get", "/api/v1/clerks", "List the clerks of a tablet", None, n.ClerksAnswer),
    ("post", "/api/v1/clerk", "Sign a clerk in by PIN", clerks.PinBody, n.MeAnswer),
    ("post", "/api/v1/tablets/{tablet}/revoke", "Revoke a tablet", None, None),
    ("get", "/api/v1/half", "Say how half a sign-in goes on", None, None),
    ("post", "/api/v1/sign-in/code", "Go on by a code", second_step.StepBody, n.MeAnswer),
    ("post", "/api/v1/sign-in/passkey/options", "Ask for a passkey", None, None),
    (
        "post",
        "/api/v1/sign-in/passkey",
        "Sign in by a passkey",
        second_step.CredentialBody,
        n.MeAnswer,
    ),
    ("get", "/api/v1/factors", "Return one's own factors", None, None),
    ("post", "/api/v1/factors/totp", "Offer a TOTP secret", factors.AgainBody, None),
    ("post", "/api/v1/factors/totp/confirm", "Take it into use", factors.FirstCodeBody, None),
    ("post", "/api/v1/factors/passkeys/options", "Offer a passkey", factors.AgainBody, None),
    ("post", "/api/v1/factors/passkeys", "Enrol a passkey", factors.PasskeyBody, None),
    ("post", "/api/v1/factors/remove", "Remove a factor", factors.RemoveBody, None),
    ("post", "/api/v1/recovery", "Ask for a recovery", None, None),
    ("post", "/api/v1/recovery/link", "Open its link", second_step.RecoveryBody, None),
    ("get", "/api/v1/recoveries", "List recoveries", None, None),
    ("post", "/api/v1/recoveries/{person}/start", "Start a recovery", None, None),
    ("post", "/api/v1/recoveries/{person}/confirm", "Confirm a recovery", None, None),
    ("post", "/api/v1/recoveries/{person}/withdraw", "Withdraw a recovery", None, None),
    ("get", "/api/v1/records", "Search records", None, None),
    ("get", "/api/v1/records/{record}", "Return a record", None, None),
    ("post", "/api/v1/records/{record}/verify", "Verify a record again", None, None),
    ("post", "/api/v1/records/{record}/additions", "Correct by adding", records.AdditionBody, None),
    ("get", "/api/v1/records/{record}/bundle", "Export a record's bundle", None, None),
    ("get", "/api/v1/records/{record}/pdf", "Return a record's page as PDF", None, None),
    ("get", "/api/v1/procedures", "List procedures", None, ProceduresAnswer),
    ("get", "/api/v1/documents", "List kinds of documents", None, DocumentsAnswer),
    ("get", "/api/v1/eligibility", "Say whether a call may be placed", None, None),
    ("get", "/api/v1/approvals", "List what seniors are asked to confirm", None, AskedAnswer),
    ("get", "/api/v1/calls", "List one's own calls of today", None, n.CallsAnswer),
    ("get", "/api/v1/calls/{call}", "Return a call to its parties", None, CallAnswer),
    ("get", "/api/v1/calls/{call}/resident", "Return whom to play", None, None),
    ("get", "/api/v1/calls/{call}/invitable", "List whom to ask in", None, n.InvitableAnswer),
    ("post", "/api/v1/calls/{call}/files", "Begin an upload (tus creation)", None, None),
    ("options", "/api/v1/calls/{call}/files", "Say what the server speaks (tus)", None, None),
    ("head", "/api/v1/calls/{call}/files/{file}", "Say the offset (tus)", None, None),
    ("patch", "/api/v1/calls/{call}/files/{file}", "Append bytes (tus)", None, None),
    ("delete", "/api/v1/calls/{call}/files/{file}", "Withdraw an upload (tus)", None, None),
    ("get", "/api/v1/calls/{call}/files/{file}/content", "Return the offered bytes", None, None),
    ("post", "/api/v1/precheck", "Begin a check of the tablet", None, prechecks.BeginAnswer),
    ("post", "/api/v1/precheck/media", "Connect an end", prechecks.MediaBody, prechecks.SdpAnswer),
    ("post", "/api/v1/precheck/file", "Begin its upload (tus creation)", None, None),
    ("patch", "/api/v1/precheck/file", "Append bytes (tus)", None, None),
    ("get", "/api/v1/precheck/file", "Return the bytes", None, None),
    ("post", "/api/v1/precheck/result", "End it", prechecks.ReportBody, n.PrecheckAnswer),
    ("get", "/api/v1/prechecks", "List results", None, n.PrechecksAnswer),
    ("get", "/api/v1/administration", "Return offices, tablets and people", None, None),
    ("get", "/api/v1/procedures/texts", "Return templates as TOML", None, None),
    ("get", "/api/v1/procedures/versions", "List versions of templates", None, None),
    ("post", "/api/v1/procedures/versions", "Store a draft", procedures.TemplateBody, None),
    ("get", "/api/v1/procedures/versions/{number}", "Return a version", None, None),
    (
        "post",
        "/api/v1/procedures/versions/{number}/approve",
        "Approve a draft",
        procedures.BeginBody,
        None,
    ),
    ("post", "/api/v1/procedures/versions/{number}/withdraw", "Withdraw a version", None, None),
    ("post", "/api/v1/offices", "Register an office", admin.OfficeBody, None),
    ("post", "/api/v1/offices/{office}", "Enter its days", admin.DaysBody, None),
    ("post", "/api/v1/offices/{office}/openings", "Open or close", admin.OpeningBody, None),
    ("post", "/api/v1/openings/{opening}/withdraw", "Take an opening back", None, None),
    ("post", "/api/v1/offices/{office}/tablets", "Add a tablet", admin.NameBody, None),
    ("post", "/api/v1/tablets/{tablet}/code", "Return an enrolment code", None, None),
    ("post", "/api/v1/tablets/{tablet}/mode", "Switch a tablet", admin.ModeBody, None),
    ("post", "/api/v1/people", "Add a person", admin.PersonBody, None),
    ("post", "/api/v1/people/{worker}/entrance", "Return a new link or PIN", None, None),
    ("post", "/api/v1/people/{worker}/training", "Enter a training", admin.TrainingBody, None),
    ("post", "/api/v1/people/{worker}/end", "End a person's work", None, None),
    ("get", "/api/v1/policy", "Return the policy in force", None, None),
    ("get", "/api/v1/policy/text", "Return the policy in force as TOML", None, None),
    ("get", "/api/v1/policy/roles", "Return what each role may do", None, None),
    ("get", "/api/v1/policy/versions", "List versions of the policy", None, None),
    ("post", "/api/v1/policy/versions", "Store a draft", policies.DraftBody, None),
    ("get", "/api/v1/policy/versions/{number}", "Return a version", None, None),
    ("get", "/api/v1/policy/versions/{number}/rehearsal", "Rehearse a version", None, None),
    (
        "post",
        "/api/v1/policy/versions/{number}/approve",
        "Approve a draft",
        policies.ApproveBody,
        None,
    ),
    ("post", "/api/v1/policy/versions/{number}/withdraw", "Withdraw a version", None, None),
    ("post", "/api/v1/policy/explain", "Would it be allowed?", policies.QuestionBody, None),
    ("get", "/api/v1/officers", "List officers", None, None),
    ("post", "/api/v1/officers/{person}/appoint", "Appoint an officer", None, None),
    ("get", "/api/v1/hooks", "List destinations", None, None),
    ("post", "/api/v1/hooks", "Set a webhook up", hooks.WebhookBody, None),
    ("post", "/api/v1/hooks/{hook}/rotate", "Give it a new secret", hooks.RotateBody, None),
    ("post", "/api/v1/hooks/{hook}/test", "Send a test message", None, None),
    ("post", "/api/v1/hooks/{hook}/remove", "Remove a webhook", None, None),
    ("post", "/api/v1/deliveries/{delivery}/retry", "Try a delivery again", None, None),
    ("post", "/api/v1/deliveries/{delivery}/give-up", "Let a delivery go", None, None),
    ("get", "/api/v1/tokens", "List tokens of other systems", None, None),
    ("post", "/api/v1/tokens", "Make a token", tokens.TokenTermsBody, None),
    ("post", "/api/v1/tokens/{token}/revoke", "Revoke a token", None, None),
    ("get", "/api/v1/counts", "Return the counts of a month", None, None),
    ("get", "/api/v1/counts/export", "Return counts as CSV", None, None),
    ("post", "/api/v1/counts/corrections", "Correct a closed month", counts.CorrectionBody, None),
    ("get", "/api/v1/rest/records", "List real calls that are over", None, rest.RestRecords),
    ("get", "/api/v1/rest/records/{call}", "Return one of them", None, rest.RestRecord),
    ("get", "/api/v1/rest/records/{call}/bundle", "Return its signed bundle", None, None),
    ("get", "/api/v1/rest/counts", "Return the counts of a month", None, rest.RestCounts),
    ("get", "/api/v1/audit", "Search the audit log", None, None),
    ("get", "/api/v1/audit/export", "Return the audit log as CSV", None, None),
    ("get", "/api/v1/deletions", "List proofs of deletion", None, None),
    ("get", "/api/v1/audit/chain", "Verify the audit log", None, None),
    ("get", "/healthz", "Say that the process answers", None, n.Health),
)

TOKEN = {"type": "http", "scheme": "bearer", "description": "mdt_…, made by an administrator"}
_MONTH = {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}
_TIME = {"type": "string", "format": "date-time"}
QUERIES: dict[str, dict[str, dict[str, Any]]] = {
    "/api/v1/rest/records": {
        "from": _TIME,
        "to": _TIME,
        "after": {"type": "string", "pattern": f"^{rest.CURSOR.pattern}$"},
        "limit": {"type": "integer", "minimum": 1, "maximum": rest.MAX_LIMIT},
    },
    "/api/v1/rest/counts": {"month": _MONTH},
    "/api/v1/counts": {"month": _MONTH},
    "/api/v1/counts/export": {"from": _MONTH, "to": _MONTH},
}
FILES = {
    "/api/v1/rest/records/{call}/bundle": "application/zip",
    "/api/v1/counts/export": "text/csv",
}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    used: list[type[BaseModel]] = [n.ErrorAnswer]
    used += [model for row in TABLE for model in (row[3], row[4]) if model is not None]
    inputs: list[tuple[type[BaseModel], Literal["serialization"]]] = [
        (model, "serialization") for model in dict.fromkeys(used)
    ]
    names, schemas = models_json_schema(inputs, ref_template=REF)
    refs: Refs = {model: {"schema": schema} for (model, _), schema in names.items()}
    paths: dict[str, Any] = {}
    for method, path, summary, body, result in TABLE:
        paths.setdefault(path, {})[method] = _operation(path, summary, body, result, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "madoguchi", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"token": TOKEN}},
    }


def _operation(
    path: str,
    summary: str,
    body: type[BaseModel] | None,
    result: type[BaseModel] | None,
    refs: Refs,
) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    text = {"type": "string"}
    parameters = [{"name": x, "in": "path", "required": True, "schema": text} for x in names]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in QUERIES.get(path, {}).items()
    ]
    by_token = path.startswith("/api/v1/rest/")
    if path.startswith("/api/") and not by_token:
        page = {"type": "string", "enum": ["counter", "desk", "officer", "sign-in"]}
        parameters.append({"name": "page", "in": "query", "required": False, "schema": page})
    done: dict[str, Any] = {"description": summary}
    if result is not None:
        done["content"] = {"application/json": refs[result]}
    failed = {"description": "Error", "content": {"application/json": refs[n.ErrorAnswer]}}
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {"2XX": done, "4XX": failed, "5XX": failed},
    }
    if path in FILES:
        done["content"] = {FILES[path]: {"schema": {"type": "string", "format": "binary"}}}
    if by_token:
        operation["security"] = [{"token": []}]
    if body is not None:
        content = {"application/json": refs[body]}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


@routes.get("/api/openapi.json")
async def openapi(request: web.Request) -> web.Response:
    """Return the OpenAPI document."""
    # Made once, and it takes longer than the loop may be kept.
    return answer(await asyncio.to_thread(document))
