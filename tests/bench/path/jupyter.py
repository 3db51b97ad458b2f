"""terminado (JupyterLab's terminal) on loopback: `jupyter.py PORT`."""
import asyncio
import sys

import terminado
import tornado.web


async def main():
    terms = terminado.UniqueTermManager(shell_command=["bash", "--norc"])
    app = tornado.web.Application([(r"/ws", terminado.TermSocket, {"term_manager": terms})])
    app.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
