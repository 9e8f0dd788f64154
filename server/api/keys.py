"""What the application carries, by typed key."""

from aiohttp import web

from server.parts import Parts

PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
