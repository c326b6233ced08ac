"""The few XMP properties that matter here: AIGC label and IPTC digital source type."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MAX_BYTES = 1 << 20


def make_xmp(aigc_json: str, source_type: str, description: str) -> bytes:
    """Return an XMP packet with the AIGC label, the source type (URI) and a description."""
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">
<rdf:Description rdf:about="" xmlns:TC260="{TC260}" xmlns:Iptc4xmpExt="{IPTC}"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<TC260:AIGC>{escape(aigc_json)}</TC260:AIGC>
<Iptc4xmpExt:DigitalSourceType>{escape(source_type)}</Iptc4xmpExt:DigitalSourceType>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(description)}</rdf:li></rdf:Alt>
</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
    return packet.encode("utf-8")


def read_xmp_field(packet: bytes | str, name: str) -> str | None:
    """Return the text of the first property with the local name ``name``, or None.

    A packet that is too large, declares a document type (entity bombs need one) or is no XML
    yields None.
    """
    tree = _parse(packet)
    if tree is None:
        return None
    for node in tree.iter():
        if node.tag.rsplit("}", 1)[-1] == name and node.text:
            return node.text
        # RDF lets a simple property stand as an attribute of its description.
        for key, value in node.attrib.items():
            if key.rsplit("}", 1)[-1] == name:
                return value
    return None


def is_readable(packet: bytes | str) -> bool:
    """Tell whether a packet can be read; one that cannot may hold a label all the same."""
    return _parse(packet) is not None


def _parse(packet: bytes | str) -> ElementTree.Element | None:
    raw = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if len(raw) > _MAX_BYTES or b"<!" in raw:
        return None
    try:
        return ElementTree.fromstring(raw.strip(b"\0 \r\n\t"))
    except ElementTree.ParseError:
        return None
