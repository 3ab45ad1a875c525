# -*- coding: utf-8 -*-
"""Writes what logging.handlers.SocketHandler sends, with the Python that runs it:

    python2.7  examples/data/make_log_records.py examples/data/log-records-python2.7.bin
    python3.13 examples/data/make_log_records.py examples/data/log-records-python3.13.bin

or sends it, by `--send HOST PORT`.
"""
import logging
import logging.handlers
import sys


class FileHandler(logging.handlers.SocketHandler):
    def __init__(self, out):
        logging.handlers.SocketHandler.__init__(self, None, None)
        self.out = out

    def send(self, message):
        self.out.write(message)


PROGRAM = u"""
logging.info("Jackdaws love my big sphinx of quartz.")
logging.getLogger("myapp.area1").debug("Quick zephyrs blow, vexing daft Jim.")
logging.getLogger("myapp.area1").warning("%d dogs jump over %s", 3, user, extra={"user": user})
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("myapp.area2").exception("The five boxing wizards jump quickly.")
"""


def log(handler):
    root = logging.getLogger("")
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    # Compiled under a name of its own, since records hold the path of the file.
    exec(compile(PROGRAM, "myapp.py", "exec"), {"logging": logging, "user": u"Zo\u00eb"})
    root.removeHandler(handler)


if __name__ == "__main__":
    if sys.argv[1] == "--send":
        handler = logging.handlers.SocketHandler(sys.argv[2], int(sys.argv[3]))
        log(handler)
        handler.close()
    else:
        with open(sys.argv[1], "wb") as out:
            log(FileHandler(out))
