#!/usr/bin/env python3
"""Lets tshark read the x2-*/x3-* streams of a run and compares with what Writ's own decoder says.

usage: tshark.py FOLDER

tshark's X2/X3 dissector does not put segments together again, so every PDU gets a TCP segment of its own in a capture made
here. Compared for every PDU: type, lengths, format, direction, XID, correlation, attributes, sequence number, timestamp, matched
targets, the octets of the payload, and what tshark takes the payload for. A PDU that tshark's X2/X3 dissector calls malformed fails
the run. What dissectors further in say does not count: a header report ends where the order's scope ends, and a subscriber may
send what he likes, which tshark then guesses at (random octets behind UDP can look like RTCP, and be bad RTCP).
"""

import datetime
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree

PORT = 9999
FIELDS = [
    "frame.number", "li5g.ver", "li5g.type", "li5g.hl", "li5g.pl", "li5g.pf", "li5g.pd", "li5g.xid", "li5g.cid", "li5g.sq",
    "li5g.ts", "li5g.mti", "li5g.attrType", "li5g.pld", "frame.protocols",
]
# What comes right behind the PDU's header, by payload format.
INNER = {5: "ip", 6: "ipv6", 7: "eth"}
# tshark's marks on what it could not read to its end, and the name in them of the dissector that gave up.
MARKS = ["_ws.malformed", "_ws.unreassembled", "_ws.short"]
GAVE_UP = re.compile(r"(?:Packet: |, protocol |: )([^:\]]+)[:\]]")
# That of the X2/X3 dissector.
OURS = "5GLI"


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


def tshark(path, words):
    command = ["tshark", "-r", str(path), "-d", f"tcp.port=={PORT},5gli", "-o", "tcp.desegment_tcp_streams:FALSE", *words]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0:
        sys.exit(f"tshark failed on {path}: {result.stderr.strip()}")
    return result.stdout


def dissect(path):
    """The fields of every packet, and what tshark has to complain about in its X2/X3 layer."""
    words = ["-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=;"]
    for field in FIELDS:
        words += ["-e", field]
    rows = [dict(zip(FIELDS, line.split("|"))) for line in tshark(path, words).splitlines()]
    # Where in a packet a mark stands, only PDML shows.
    marked = xml.etree.ElementTree.fromstring(tshark(path, ["-T", "pdml", "-Y", " or ".join(MARKS)]))
    complaints = {packet.find("proto/field[@name='num']").get("show"): complaints_in(packet) for packet in marked.iter("packet")}
    for row in rows:
        row["complaints"] = complaints.get(row["frame.number"], [])
    return rows


def complaints_in(packet):
    """The marks that concern the PDU itself: in its layer or behind all layers, and with its dissector's name or none."""
    marks = []
    for layer in packet.findall("proto"):
        if layer.get("name") == "5gli":
            marks += marks_below(layer)
        elif layer.get("name") in MARKS:
            marks.append(layer)
    texts = [mark.get("showname") for mark in marks]
    gave_up = {text: GAVE_UP.search(text) for text in texts}
    return [f"tshark: {text}" for text, name in gave_up.items() if name is None or name[1] == OURS]


def marks_below(element):
    """Without those in the layers of the payload, which PDML shows inside the PDU's."""
    for child in element:
        if child.get("name") in MARKS:
            yield child
        elif child.tag != "proto":
            yield from marks_below(child)


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


def compare(row, expected, pdu):
    """All differences between what tshark and what Writ read in the octets of a PDU."""
    found = {
        "type": number(row["li5g.type"]),
        "header_length": number(row["li5g.hl"]),
        "payload_length": number(row["li5g.pl"]),
        "format": number(row["li5g.pf"]),
        "direction": number(row["li5g.pd"]),
        "xid": row["li5g.xid"],
        "correlation": int(row["li5g.cid"], 16),
        "attributes": [int(text, 0) for text in row["li5g.attrType"].split(";") if text],
        "sequence": number(row["li5g.sq"]),
        "matched": texts(row["li5g.mti"]),
        "timestamp": timestamp(row["li5g.ts"]),
        "payload": row["li5g.pld"],
    }
    wanted = {key: expected[key] for key in found if key not in ("timestamp", "payload")}
    wanted["matched"] = list(dict.fromkeys(expected["matched"]))
    wanted["timestamp"] = (expected["seconds"], expected["nanoseconds"])
    begin = expected["header_length"]
    wanted["payload"] = pdu[begin : begin + expected["payload_length"]].hex()
    differences = [f"{key}: tshark {found[key]!r:.80}, Writ {wanted[key]!r:.80}" for key in found if found[key] != wanted[key]]
    protocols = row["frame.protocols"].split(":")
    seen_as = protocols[protocols.index("5gli") + 1 :][:1] if "5gli" in protocols else None
    if seen_as is None or (wanted["payload"] and seen_as != [INNER.get(expected["format"])]):
        differences.append(f"seen as {row['frame.protocols']}")
    return row["complaints"] + differences


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
        for index, (row, expected, pdu) in enumerate(zip(rows, stream["pdus"], pdus)):
            try:
                differences = compare(row, expected, pdu)
            except ValueError as error:
                what = f"not read as an X2/X3 PDU ({error}); seen as {row['frame.protocols']}"
                differences = [*row["complaints"], what]
            read += 1
            if differences:
                faults += 1
                if faults <= 20:
                    print(f"{stream['file']}: PDU {index} at octet {expected['offset']}: " + "; ".join(differences))
    print(f"tshark: {read} X2/X3 PDUs read, {faults} faults")
    sys.exit(1 if faults or not read else 0)


if __name__ == "__main__":
    main()
