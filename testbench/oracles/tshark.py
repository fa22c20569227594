#!/usr/bin/env python3
"""Lets tshark read the x2-*/x3-* streams of a run and compares with what Writ's own decoder says.

usage: tshark.py FOLDER

tshark's X2/X3 dissector does not put segments together again, so every PDU gets a TCP segment of its own in a capture made
here. Compared for every PDU: type, lengths, format, direction, XID, correlation, sequence number, timestamp, matched targets.
A PDU that tshark calls malformed fails the run. (Malformed *inner* packets are no fault of the PDU: header reports end where
the order's scope ends. They are told apart by the dissector that complains.)
"""

import datetime
import json
import os
import pathlib
import struct
import subprocess
import sys

PORT = 9999
FIELDS = [
    "frame.number", "li5g.ver", "li5g.type", "li5g.hl", "li5g.pl", "li5g.pf", "li5g.pd", "li5g.xid", "li5g.cid", "li5g.sq",
    "li5g.ts", "li5g.mti", "li5g.attrType", "_ws.malformed", "frame.protocols",
]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(payload, source_port, sequence, identification):
    """An IPv4 packet with one TCP segment."""
    source, destination = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])
    tcp = struct.pack("!HHIIBBHHH", source_port, PORT, sequence & 0xFFFFFFFF, 1, 5 << 4, 0x18, 65535, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, 6, len(tcp) + len(payload))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + payload)) + tcp[18:]
    total = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, identification & 0xFFFF, 0x4000, 64, 6, 0, source, destination)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return ip + tcp + payload


def write_capture(path, pdus, source_port):
    """pcap, raw IP, one PDU a segment."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        sequence = 1
        for number, pdu in enumerate(pdus):
            packet = segment(pdu, source_port, sequence, number)
            out.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
            sequence += len(pdu)


def dissect(path):
    command = ["tshark", "-r", str(path), "-d", f"tcp.port=={PORT},5gli", "-o", "tcp.desegment_tcp_streams:FALSE"]
    command += ["-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=;"]
    for field in FIELDS:
        command += ["-e", field]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0:
        sys.exit(f"tshark failed on {path}: {result.stderr.strip()}")
    return [dict(zip(FIELDS, line.split("|"))) for line in result.stdout.splitlines()]


def number(text):
    """The dissector shows some fields twice, once as an attribute and once decoded."""
    return int(text.split(";")[0], 0) if text else None


def timestamp(text):
    """`Nov 14, 2023 22:13:20.123456789 UTC` as seconds and nanoseconds since 1970."""
    date, _, fraction = text.split(";")[0].removesuffix(" UTC").partition(".")
    moment = datetime.datetime.strptime(date, "%b %d, %Y %H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()), int(fraction)


def texts(field):
    """Attribute values come as hexadecimal digits, twice."""
    return list(dict.fromkeys(bytes.fromhex(text).decode() for text in field.split(";") if text))


def compare(row, expected):
    """All differences between what tshark and what Writ read."""
    found = {
        "type": number(row["li5g.type"]),
        "header_length": number(row["li5g.hl"]),
        "payload_length": number(row["li5g.pl"]),
        "format": number(row["li5g.pf"]),
        "direction": number(row["li5g.pd"]),
        "xid": row["li5g.xid"],
        "correlation": int(row["li5g.cid"], 16),
        "sequence": number(row["li5g.sq"]),
        "matched": texts(row["li5g.mti"]),
        "timestamp": timestamp(row["li5g.ts"]),
    }
    wanted = {key: expected[key] for key in found if key != "timestamp"}
    wanted["matched"] = list(dict.fromkeys(expected["matched"]))
    wanted["timestamp"] = (expected["seconds"], expected["nanoseconds"])
    differences = [f"{key}: tshark {found[key]!r}, Writ {wanted[key]!r}" for key in found if found[key] != wanted[key]]
    protocols = row["frame.protocols"].split(":")
    if "5gli" not in protocols:
        differences.append(f"seen as {row['frame.protocols']}")
    inner = protocols[protocols.index("5gli") + 1 :] if "5gli" in protocols else []
    # A header report ends early on purpose: then the packet inside is cut, while every field of the PDU itself was read.
    is_cut_report = expected["type"] == 1 and bool(inner)
    if row["_ws.malformed"] and not is_cut_report:
        differences.append("malformed")
    return differences


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    streams = json.loads((folder / "expected.json").read_text())["streams"]
    read = faults = 0
    for position, stream in enumerate(stream for stream in streams if stream["interface"] in ("x2", "x3")):
        octets = (folder / stream["file"]).read_bytes()
        pdus = [octets[pdu["offset"] : pdu["offset"] + pdu["length"]] for pdu in stream["pdus"]]
        capture = folder / (stream["file"].removesuffix(".bin") + ".pcap")
        write_capture(capture, pdus, 20000 + position)
        rows = dissect(capture)
        if len(rows) != len(pdus):
            print(f"{stream['file']}: tshark shows {len(rows)} packets, {len(pdus)} were written")
            faults += 1
        for index, (row, expected) in enumerate(zip(rows, stream["pdus"])):
            try:
                differences = compare(row, expected)
            except ValueError as error:
                differences = [f"not read as an X2/X3 PDU ({error}); seen as {row['frame.protocols']}"]
            read += 1
            if differences:
                faults += 1
                if faults <= 20:
                    print(f"{stream['file']}: PDU {index} at octet {expected['offset']}: " + "; ".join(differences))
    print(f"tshark: {read} X2/X3 PDUs read, {faults} faults")
    sys.exit(1 if faults or not read else 0)


if __name__ == "__main__":
    main()
