"""Sends metrics to HOST PORT as carbon's clients do: the program of Graphite's manual, "The pickle protocol"."""

import pickle
import socket
import struct
import sys

batches = [
    [("servers.web1.load", (1700000000, 0.25)), (u"servers.zo\u00eb.load", (1700000001.5, 3))],
    [("servers.web%d.requests" % n, (1700000000 + n, n * n)) for n in range(1000)],
]
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for batch in batches:
    payload = pickle.dumps(batch, protocol=2)
    header = struct.pack("!L", len(payload))
    connection.sendall(header + payload)
connection.close()
