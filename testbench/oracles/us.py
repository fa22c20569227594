#!/usr/bin/env python3
"""Lets decoders that others wrote read what Writ's codecs for United States carriers made, and the other way round.

usage: us.py FOLDER PCESP3 PCESP4 [ATIS]     check the streams of a folder
       us.py --vectors PCESP3 PCESP4         print PCESP vectors that pycrate encoded, for the tests of writ-handover
       us.py --vectors ATIS                  print vectors of the reconstruction

FOLDER holds expected.json and the streams that it names: WRIT_US_STREAMS=FOLDER cargo test -p writ-handover --test us streams
PCESP3, PCESP4: the ASN.1 modules of PCESP versions 3 and 4; ATIS: the reconstruction of ATIS-1000013.

- PCESP: pycrate and asn1tools decode every PDU, which has to give the fields that Writ wrote; what pycrate encodes from these fields
  has to be the same octets.
- CCC: tshark's dissectors pcli, pcli12 and pcli20 read every datagram out of a capture made here; identifier, time stamp, case identifier and the
  packet inside have to be what Writ wrote. pcli8 has to find the identifier of forms with a time stamp, of which it reads the first half.
- ATIS: only shows that Writ's octets follow the reconstruction, which is no proof that the reconstruction is right.
"""

import datetime
import importlib.util
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import asn1tools
from pycrate_asn1c.asnproc import GLOBAL, PycrateGenerator, compile_text, generate_modules

FAULTS_SHOWN = 20
# The dissector of each form, and octets before the packet.
FORMS = {"id": ("pcli", 4), "id_time": ("pcli12", 12), "id_time_case": ("pcli20", 20)}
# Headers of IP and UDP before a datagram in the capture.
OUTER_OCTETS = 28
SIGNALS = {"networksignal": ["alertingSignal", "subjectAudibleSignal", "terminalDisplayInfo", "other"]}
DTMF = "0123456789#*ABCD"
# Share of the optional fields that vectors have.
VARIANTS = {"bare": 0.0, "full": 1.0, "some": 0.5, "few": 0.25}
# Alternatives of the reconstruction of which too little is known.
PLACEHOLDERS = {"access-Signaling-Message-Report", "cccId", "serviceChange", "vpnSecurityEstablishment", "vpnSecurityRelease"}
CMII = [1, 2, 840, 113737, 2, 1, 1, 0, 0]


def pycrate_module(path, position):
    """The ASN.1 modules of a file as a Python module made by pycrate."""
    GLOBAL.clear()
    compile_text([pathlib.Path(path).read_text()])
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"us_module_{position}.py"
        generate_modules(PycrateGenerator, str(file))
        specification = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
    return module


def from_pycrate(kind, value):
    """pycrate's value of a type as it stands in expected.json."""
    if kind.TYPE == "SEQUENCE":
        return {name: from_pycrate(kind._cont[name], field) for name, field in value.items()}
    if kind.TYPE == "SEQUENCE OF":
        return [from_pycrate(kind._cont, member) for member in value]
    if kind.TYPE == "CHOICE":
        return {value[0]: from_pycrate(kind._cont[value[0]], value[1])}
    if kind.TYPE == "NULL":
        return None
    if kind.TYPE == "OBJECT IDENTIFIER":
        return list(value)
    if kind.TYPE == "OCTET STRING":
        return value.hex()
    if kind.TYPE == "GeneralizedTime":
        year, month, day, hour, minute, second, fraction, zone = value
        return f"{year}{month}{day}{hour}{minute}{second}" + (f".{fraction}" if fraction else "") + (zone or "")
    return value


def to_pycrate(kind, value):
    """The reverse of from_pycrate."""
    if kind.TYPE == "SEQUENCE":
        return {name: to_pycrate(kind._cont[name], field) for name, field in value.items()}
    if kind.TYPE == "SEQUENCE OF":
        return [to_pycrate(kind._cont, member) for member in value]
    if kind.TYPE == "CHOICE":
        ((name, chosen),) = value.items()
        return (name, to_pycrate(kind._cont[name], chosen))
    if kind.TYPE == "NULL":
        return 0
    if kind.TYPE == "OBJECT IDENTIFIER":
        return tuple(value)
    if kind.TYPE == "OCTET STRING":
        return bytes.fromhex(value)
    if kind.TYPE == "GeneralizedTime":
        date, _, fraction = value.removesuffix("Z").partition(".")
        parts = [date[:4]] + [date[at : at + 2] for at in range(4, 14, 2)]
        return (*parts, fraction or None, "Z")
    return value


def from_asn1tools(kind, value):
    """asn1tools' value as it stands in expected.json; `kind` is pycrate's type, which knows what is what."""
    if kind.TYPE == "SEQUENCE":
        return {name: from_asn1tools(kind._cont[name], field) for name, field in value.items()}
    if kind.TYPE == "SEQUENCE OF":
        return [from_asn1tools(kind._cont, member) for member in value]
    if kind.TYPE == "CHOICE":
        return {value[0]: from_asn1tools(kind._cont[value[0]], value[1])}
    if kind.TYPE == "OCTET STRING":
        return value.hex()
    if kind.TYPE == "OBJECT IDENTIFIER":
        return [int(part) for part in value.split(".")]
    if kind.TYPE == "GeneralizedTime":
        return value.strftime("%Y%m%d%H%M%S") + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "") + "Z"
    return value


def differences(theirs, ours, path=""):
    """Where two values differ: the path only, as values may identify."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = [f"{path}/{name} is in one only" for name in theirs.keys() ^ ours.keys()]
        for name in theirs.keys() & ours.keys():
            found += differences(theirs[name], ours[name], f"{path}/{name}")
        return found
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [fault for at, pair in enumerate(zip(theirs, ours)) for fault in differences(*pair, f"{path}/{at}")]
    same = theirs == ours and type(theirs) is type(ours)
    return [] if same else [f"{path}: {theirs!r} here, {ours!r} from Writ"]


class Report:
    """Counts, and shows the first faults."""

    def __init__(self, name):
        self.name, self.read, self.faults = name, 0, 0

    def add(self, where, found):
        self.read += 1
        if found:
            self.faults += 1
            if self.faults <= FAULTS_SHOWN:
                print(f"{self.name}: {where}: " + "; ".join(found))

    def is_good(self):
        print(f"{self.name}: {self.read} read, {self.faults} faults")
        return self.read > 0 and self.faults == 0


def check_ber(folder, streams, schema, module, type_name, report_name):
    """PDUs of one module against pycrate, both ways, and asn1tools."""
    kind = getattr(module, type_name)
    other = asn1tools.compile_files(str(schema), "ber")
    report, second = Report(f"pycrate, {report_name}"), Report(f"asn1tools, {report_name}")
    for stream in streams:
        octets = (folder / stream["file"]).read_bytes()
        for index, expected in enumerate(stream["pdus"]):
            pdu = octets[expected["offset"] : expected["offset"] + expected["length"]]
            where = f"{stream['file']}: PDU {index} at octet {expected['offset']}"
            try:
                kind.from_ber(pdu)
                found = differences(from_pycrate(kind, kind.get_val()), expected["value"])
                kind.set_val(to_pycrate(kind, expected["value"]))
                if kind.to_ber() != pdu:
                    found.append("pycrate encodes other octets")
            except Exception as error:  # pycrate raises many kinds
                found = [f"{type(error).__name__}: {error}"]
            report.add(where, found)
            try:
                value, used = other.decode_with_length(stream["type"], pdu)
                found = differences(from_asn1tools(kind, value), expected["value"])
                if used != len(pdu):
                    found.append(f"{used} of {len(pdu)} octets decoded")
            except (asn1tools.Error, KeyError, ValueError, IndexError) as error:
                found = [f"{type(error).__name__}: {error}"]
            second.add(where, found)
    return report.is_good() & second.is_good()


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_packet(payload, port):
    """An IPv4 packet with a UDP datagram."""
    source, destination = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])
    udp = struct.pack("!HHHH", 20000, port, 8 + len(payload), 0)
    total = 20 + len(udp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0x4000, 64, 17, 0, source, destination)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp + payload


def write_capture(path, datagrams, port):
    """pcap, raw IP, one datagram a packet."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for number, datagram in enumerate(datagrams):
            packet = udp_packet(datagram, port)
            out.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)


def dissect(path, port, dissector):
    """tshark's packets, each layer with its octets."""
    command = ["tshark", "-r", str(path), "-d", f"udp.port=={port},{dissector}", "-d", "pcli.payload,ip"]
    command += ["-T", "json", "-x", "--no-duplicate-keys"]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0:
        sys.exit(f"tshark failed on {path}: {result.stderr.strip()}")
    return [packet["_source"]["layers"] for packet in json.loads(result.stdout)]


def ntp_nanoseconds(text):
    """`Nov 14, 2023 22:13:20.123456789 UTC` in nanoseconds since 1970."""
    date, _, fraction = text.removesuffix(" UTC").partition(".")
    moment = datetime.datetime.strptime(date, "%b %d, %Y %H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0")[:9])


def ccc_differences(layers, expected, header_octets, datagram):
    fields = layers.get("pcli")
    if fields is None:
        return [f"seen as {list(layers)}"]
    found = []
    if int(fields["pcli.cccid"], 0) != expected["id"]:
        found.append("CCC identifier")
    if ("pcli.timestamp" in fields) != ("ns" in expected):
        found.append("time stamp is in one only")
    elif "ns" in expected and ntp_nanoseconds(fields["pcli.timestamp"]) != expected["ns"]:
        found.append(f"time stamp {fields['pcli.timestamp']}, Writ {expected['ns']} ns")
    if ("pcli.case_id" in fields) != ("case" in expected):
        found.append("case identifier is in one only")
    elif "case" in expected and int(fields["pcli.case_id"], 0) != int(expected["case"], 16):
        found.append("case identifier")
    # The packet within: an IP layer has to start right behind the header, with the octets that are there.
    name = "ip" if datagram[header_octets] >> 4 == 4 else "ipv6"
    raw = layers.get(f"{name}_raw", [])
    raws = raw if raw and isinstance(raw[0], list) else [raw]
    inner = [entry for entry in raws if entry and entry[1] == OUTER_OCTETS + header_octets]
    if not any(datagram[header_octets:].hex().startswith(entry[0]) for entry in inner):
        found.append(f"no {name} at octet {header_octets} of the datagram")
    return found


def check_ccc(folder, streams):
    good = True
    for position, stream in enumerate(streams):
        dissector, header_octets = FORMS[stream["form"]]
        octets = (folder / stream["file"]).read_bytes()
        datagrams = [octets[pdu["offset"] : pdu["offset"] + pdu["length"]] for pdu in stream["pdus"]]
        capture, port = folder / (stream["file"].removesuffix(".bin") + ".pcap"), 30000 + position
        write_capture(capture, datagrams, port)
        names = [dissector] + (["pcli8"] if header_octets > 4 else [])
        for name in names:
            report = Report(f"tshark {name}, {stream['file']}")
            packets = dissect(capture, port, name)
            if len(packets) != len(datagrams):
                report.add("capture", [f"{len(packets)} packets shown, {len(datagrams)} written"])
            for index, (layers, expected) in enumerate(zip(packets, stream["pdus"])):
                if name == "pcli8":
                    same = int(layers.get("pcli", {}).get("pcli.cccid", "-1"), 0) == expected["id"]
                    found = [] if same else ["CCC identifier"]
                else:
                    found = ccc_differences(layers, expected, header_octets, datagrams[index])
                report.add(f"datagram {index}", found)
            good &= report.is_good()
    return good


def text(rng, characters, shortest, longest):
    length = rng.choice([shortest, longest, rng.randint(shortest, longest)])
    return "".join(rng.choice(characters) for _ in range(length))


def random_value(rng, kind, name, share):
    """A value for a vector, in the form of expected.json; `share` of the optional fields are there."""
    if kind.TYPE == "SEQUENCE":
        wanted = {field for field in kind._root_opt if rng.random() < share}
        signals = SIGNALS.get(name) or (list(kind._cont) if name == "signal" else [])
        if signals and not wanted & set(signals):
            wanted.add(rng.choice(signals))
        present = [field for field in kind._cont if field in wanted or field in kind._root_mand]
        return {field: random_value(rng, kind._cont[field], field, share) for field in present}
    if kind.TYPE == "SEQUENCE OF":
        return [random_value(rng, kind._cont, name, share) for _ in range(rng.randint(0, 3))]
    if kind.TYPE == "CHOICE":
        chosen = rng.choice([arm for arm in kind._cont if arm not in PLACEHOLDERS])
        return {chosen: random_value(rng, kind._cont[chosen], chosen, share)}
    if kind.TYPE == "ENUMERATED":
        return rng.choice(kind._root)
    if kind.TYPE == "NULL":
        return None
    if kind.TYPE == "INTEGER":
        bounds = kind._const_val.root[0] if kind._const_val else None
        return rng.randint(bounds.lb, bounds.ub) if bounds else rng.choice([0, 64, 127, 128])
    if kind.TYPE == "OBJECT IDENTIFIER":
        return rng.choice([CMII, [2, 999, 1], [0, 4, 0, 2, 2]])
    if kind.TYPE == "OCTET STRING":
        length = 4 if name == "ipV4" else 16 if name == "ipV6" else rng.randint(1, 64)
        return rng.randbytes(length).hex()
    if kind.TYPE == "NumericString":
        return text(rng, "0123456789 ", 1, 20)
    if kind.TYPE == "GeneralizedTime":
        moment = datetime.datetime.fromtimestamp(rng.randint(0, 2**32), datetime.timezone.utc)
        return moment.strftime("%Y%m%d%H%M%S") + rng.choice(["", ".5", ".123", ".000001"]) + "Z"
    if kind.TYPE == "UTF8String":
        return rng.choice(["v=0\r\nm=audio 49170 RTP/AVP 0\r\n", "", "s=Gespräch €\r\n", "x" * 127, "x" * 128, "x" * 260])
    characters = DTMF if name == "digits" else [chr(code) for code in range(0x20, 0x7F)]
    bounds = kind._const_sz.root[0] if kind._const_sz else None
    return text(rng, characters, bounds.lb if bounds else 1, bounds.ub if bounds else 64)


def print_vector(name, kind, value):
    """A vector: name, octets, value; pycrate has to read back what it wrote."""
    kind.set_val(to_pycrate(kind, value))
    octets = kind.to_ber()
    kind.from_ber(octets)
    if from_pycrate(kind, kind.get_val()) != value:
        sys.exit(f"pycrate does not read back what it wrote: {name}")
    print(f"{name} {octets.hex()} {json.dumps(value)}")


def print_pcesp_vectors(modules):
    rng = random.Random(1)
    print("# CdcPdus that pycrate encoded: name, octets, value. Made by testbench/oracles/us.py; do not edit.")
    for version, module in modules.items():
        kind = module.PCESP.CdcPdu
        messages = kind._cont["message"]
        for name, message in messages._cont.items():
            variants = {"reserved": 0.0} if message.TYPE == "NULL" else VARIANTS
            for variant, share in variants.items():
                protocol = "io3" if version == 3 else "v4"
                value = {"protocolVersion": protocol, "message": {name: random_value(rng, message, name, share)}}
                print_vector(f"v{version}-{name}-{variant}", kind, value)
    # Every name of the enumerations, which chance would not reach.
    signal = messages._cont["networksignal"]
    bare = random_value(rng, signal, "networksignal", 0.0)
    for field in ("alertingSignal", "subjectAudibleSignal"):
        for at, name in enumerate(signal._cont[field]._root):
            fields = {key: member for key, member in bare.items() if key not in SIGNALS["networksignal"]}
            value = {"protocolVersion": "v4", "message": {"networksignal": {**fields, field: name}}}
            print_vector(f"v4-networksignal-{field}{at}", kind, value)


def print_atis_vectors(module):
    rng = random.Random(1)
    print("# PDUs that pycrate encoded after a reconstruction of ATIS-1000013: name, octets, value. They show nothing about the standard.")
    print("# Made by testbench/oracles/us.py; do not edit.")
    for name in ("IAS_CC_APDU", "IasProtocol", "IasOptionalProtocol"):
        kind = getattr(module, name)
        arms = kind._cont["iasMessage"]._cont.items() if name != "IAS_CC_APDU" else [("packet", kind)]
        for arm, type_of_arm in arms:
            if arm in PLACEHOLDERS:
                continue
            for variant, share in VARIANTS.items():
                value = random_value(rng, type_of_arm, arm, share)
                if name != "IAS_CC_APDU":
                    value = {"protocolIdentifier": CMII, "iasMessage": {arm: value}}
                print_vector(f"{name}-{arm}-{variant}", kind, value)


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 3 and arguments[0] == "--vectors":
        print_pcesp_vectors({version: pycrate_module(path, version) for version, path in zip((3, 4), arguments[1:])})
        return
    if len(arguments) == 2 and arguments[0] == "--vectors":
        print_atis_vectors(pycrate_module(arguments[1], 0).IAS_LAES_Reconstructed)
        return
    if len(arguments) not in (3, 4) or arguments[0].startswith("-"):
        sys.exit(__doc__)
    folder = pathlib.Path(arguments[0])
    streams = json.loads((folder / "expected.json").read_text())["streams"]
    good = True
    for version, path in zip((3, 4), arguments[1:3]):
        chosen = [stream for stream in streams if (stream["format"], stream.get("version")) == ("pcesp", version)]
        module = pycrate_module(path, version).PCESP
        good &= check_ber(folder, chosen, path, module, "CdcPdu", f"PCESP version {version}")
    good &= check_ccc(folder, [stream for stream in streams if stream["format"] == "ccc"])
    if len(arguments) == 4:
        module = pycrate_module(arguments[3], 0).IAS_LAES_Reconstructed
        for type_name in ("IAS-CC-APDU", "IasProtocol", "IasOptionalProtocol"):
            chosen = [stream for stream in streams if (stream["format"], stream.get("type")) == ("atis", type_name)]
            name = type_name.replace("-", "_")
            if not hasattr(module, name):
                sys.exit(f"{arguments[3]}: has no type {type_name}; this is not the reconstruction that the codec follows")
            good &= check_ber(folder, chosen, arguments[3], module, name, f"unverified ATIS {type_name}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
