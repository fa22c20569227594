#!/usr/bin/env python3
"""Lets asn1tools decode every PS-PDU of the hi2-*/hi3-* streams of a run and compares with what Writ's own decoder says.

usage: asn1.py FOLDER SCHEMA

SCHEMA is the ASN.1 subset of TS 102 232-1 and -3. Compared for every PDU: LIID, operator, CIN, sequence number, time stamps,
kind of payload, and for every payload its type, direction and octets. HI1 notices stand in an extension that the subset leaves
out: their header is compared, and the notice itself is checked field by field with a reader of tag-length-value made here.
"""

import json
import pathlib
import sys

import asn1tools

DIRECTIONS = {"fromTarget": 0, "toTarget": 1, "indeterminate": 2, "combined": 3, "notapplicable": 4}
IRI_TYPES = {"iRI-Begin": 1, "iRI-End": 2, "iRI-Continue": 3, "iRI-Report": 4}
EVENTS = {
    "accessAttempt": 0,
    "accessAccept": 1,
    "accessReject": 2,
    "accessFailed": 3,
    "sessionStart": 4,
    "sessionEnd": 5,
    "interimUpdate": 6,
    "startOfInterceptionWithSessionActive": 7,
    "accessEnd": 8,
    "endOfInterceptionWithSessionActive": 9,
    "unknown": 10,
}
NOTICES = {"hI1-Operation liActivated": 0xA1, "hI1-Operation liDeactivated": 0xA2}


def elements(octets):
    """Tag and contents of each definite-length element; tags and lengths as X.690 has them."""
    at = 0
    while at < len(octets):
        tag = octets[at]
        if tag & 0x1F == 0x1F:
            raise ValueError("long tags are not expected here")
        length = octets[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(octets[at : at + count], "big")
            at += count
        if at + length > len(octets):
            raise ValueError("an element reaches over the end")
        yield tag, octets[at : at + length]
        at += length


def stamp(value):
    return (value["seconds"], value["microSeconds"]) if value else (None, None)


def payload_fields(kind, payload):
    """The fields of an IRI or CC payload, named as in expected.json."""
    fields = {}
    fields["seconds"], fields["micro_seconds"] = stamp(payload.get("microSecondTimeStamp"))
    if kind == "cCPayloadSequence":
        arm, contents = payload["cCContents"]
        inner, packet = contents["iPCCContents"]
        if (arm, inner) != ("iPCC", "iPPackets"):
            raise ValueError(f"content {arm}/{inner}")
        if bytes(contents["iPCCObjId"])[:2] != b"\x05\x03":
            raise ValueError("object identifier of IPCC")
        fields["direction"] = DIRECTIONS[payload["payloadDirection"]]
        fields["packet"] = packet.hex()
        return fields
    arm, contents = payload["iRIContents"]
    fields["iri_type"] = IRI_TYPES[payload["iRIType"]]
    fields["direction"] = DIRECTIONS[payload["payloadDirection"]] if "payloadDirection" in payload else None
    if arm == "iPIRIPacketReport":
        inner, report = contents["report"]
        if inner != "header":
            raise ValueError(f"packet report {inner}")
        fields["header"] = report["header"].hex()
    elif arm == "iPIRI":
        fields["access_event"] = EVENTS[contents["iPIRIContents"]["accessEventType"]]
        fields["username"] = contents["iPIRIContents"]["targetUsername"].hex()
    else:
        raise ValueError(f"IRI {arm}")
    return fields


def notice_fault(pdu, arm, liid):
    """What is wrong with an HI1 notice, or None: the arm, the LIID in it, a time stamp."""
    (_, body), = elements(pdu)
    parts = dict(elements(body))
    operation = dict(elements(parts[0xA2]))
    if list(operation) != [0xA3]:
        return f"payload tags {list(operation)}"
    notice = dict(elements(operation[0xA3]))
    if list(notice) != [NOTICES[arm]]:
        return f"HI1 operation {list(notice)}"
    fields = dict(elements(notice[NOTICES[arm]]))
    if fields.get(0x81, b"").hex() != liid:
        return "LIID of the notice"
    return None if 0xA3 in fields else "no time stamp in the notice"


def differences(specification, pdu, expected):
    decoded, used = specification.decode_with_length("PS-PDU", pdu)
    if used != len(pdu):
        return [f"{used} of {len(pdu)} octets decoded"]
    header = decoded["pSHeader"]
    identifier = header["communicationIdentifier"]
    found = {
        "liid": header["lawfulInterceptionIdentifier"].hex(),
        "operator": identifier["networkIdentifier"]["operatorIdentifier"].hex(),
        "cin": identifier.get("communicationIdentityNumber"),
        "sequence": header["sequenceNumber"],
    }
    found["seconds"], found["micro_seconds"] = stamp(header.get("microSecondTimeStamp"))
    result = [f"{key}: asn1tools {value!r}, Writ {expected[key]!r}" for key, value in found.items() if value != expected[key]]
    if not header["li-psDomainId"].startswith("0.4.0.2.2.5.1."):
        result.append(f"li-psDomainId {header['li-psDomainId']}")
    arm, payload = decoded["payload"]
    if expected["arm"] in NOTICES:
        fault = notice_fault(pdu, expected["arm"], expected["liid"])
        return result + ([fault] if fault else [])
    if arm != expected["arm"]:
        return result + [f"payload: asn1tools {arm}, Writ {expected['arm']}"]
    if arm == "tRIPayload":
        return result
    if len(payload) != len(expected["payloads"]):
        return result + [f"{len(payload)} payloads, Writ {len(expected['payloads'])}"]
    for position, (theirs, ours) in enumerate(zip(payload, expected["payloads"])):
        for key, value in payload_fields(arm, theirs).items():
            if value != ours.get(key):
                result.append(f"payload {position}, {key}: asn1tools {value!r}, Writ {ours.get(key)!r}")
    return result


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    specification = asn1tools.compile_files(sys.argv[2], "ber")
    streams = json.loads((folder / "expected.json").read_text())["streams"]
    read = faults = 0
    for stream in streams:
        if stream["interface"] not in ("hi2", "hi3"):
            continue
        octets = (folder / stream["file"]).read_bytes()
        for index, expected in enumerate(stream["pdus"]):
            pdu = octets[expected["offset"] : expected["offset"] + expected["length"]]
            try:
                found = differences(specification, pdu, expected)
            except (asn1tools.Error, KeyError, ValueError, IndexError) as error:
                found = [f"{type(error).__name__}: {error}"]
            read += 1
            if found:
                faults += 1
                if faults <= 20:
                    print(f"{stream['file']}: PDU {index} at octet {expected['offset']}: " + "; ".join(found))
    print(f"asn1tools: {read} PS-PDUs decoded, {faults} faults")
    sys.exit(1 if faults or not read else 0)


if __name__ == "__main__":
    main()
