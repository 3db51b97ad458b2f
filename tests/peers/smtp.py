"""A mail server: prints its port, then each mail that it takes as a line of JSON.

    smtp.py none|starttls|tls CERT KEY

Whoever sends signs in as `steading` with the password `kiln-and-clay`. Mails to `nobody@` are refused for
good, those to `later@` for now.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later@"):
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "hello": session.host_name,
            "is_secret": server.transport.get_extra_info("cipher") is not None,
            "mail": envelope.content.decode("ascii"),
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    fits = data.login == b"steading" and data.password == b"kiln-and-clay"
    # Not handled: the server answers what was decided.
    return AuthResult(success=fits, handled=False)


async def main():
    mode, cert, key = sys.argv[1:4]
    context = None
    if mode != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)

    def factory():
        return SMTP(
            Handler(),
            tls_context=context if mode == "starttls" else None,
            require_starttls=mode == "starttls",
            authenticator=check,
            auth_required=True,
            auth_require_tls=mode == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        factory, "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
