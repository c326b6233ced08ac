"""Add properties to an XMP packet, keeping every property that is there."""

from __future__ import annotations

from xml.etree import ElementTree

from forensics.provenance.xmp import IPTC, TC260

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_MAX_BYTES = 1 << 20
_PREFIXES = {
    "x": _META,
    "rdf": _RDF,
    "TC260": TC260,
    "Iptc4xmpExt": IPTC,
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
}
_HEAD = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = b'\n<?xpacket end="w"?>'


def add_to_xmp(packet: bytes | None, aigc_json: str, source_type: str | None) -> bytes:
    """Return an XMP packet with the AIGC label and the source type (URI) added.

    Args:
        packet: The packet that the file has, or None.
        aigc_json: The label.
        source_type: IPTC term, or None; one that is there already is kept and not doubled.

    Raises:
        ValueError: The packet cannot be read, so nothing could be added without a loss.
    """
    tree = _parse(packet) if packet else _empty()
    rdf = tree if tree.tag == f"{{{_RDF}}}RDF" else tree.find(f"{{{_RDF}}}RDF")
    if rdf is None:
        raise ValueError("its XMP has no RDF")
    names = {key.rsplit("}", 1)[-1] for node in rdf.iter() for key in (node.tag, *node.attrib)}
    about = {name for node in rdf if (name := node.get(f"{{{_RDF}}}about"))}
    added = ElementTree.SubElement(rdf, f"{{{_RDF}}}Description")
    added.set(f"{{{_RDF}}}about", about.pop() if len(about) == 1 else "")
    ElementTree.SubElement(added, f"{{{TC260}}}AIGC").text = aigc_json
    if source_type is not None and "DigitalSourceType" not in names:
        ElementTree.SubElement(added, f"{{{IPTC}}}DigitalSourceType").text = source_type
    for prefix, uri in _PREFIXES.items():
        ElementTree.register_namespace(prefix, uri)
    body: bytes = ElementTree.tostring(tree, encoding="utf-8")
    return _HEAD + body + _TAIL


def _parse(packet: bytes) -> ElementTree.Element:
    # A document type is what entity bombs need, and no XMP packet has one.
    if len(packet) > _MAX_BYTES or b"<!" in packet:
        raise ValueError("its XMP is too large or declares a document type")
    try:
        return ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except ElementTree.ParseError as error:
        raise ValueError(f"its XMP is malformed ({error})") from error


def _empty() -> ElementTree.Element:
    tree = ElementTree.Element(f"{{{_META}}}xmpmeta")
    ElementTree.SubElement(tree, f"{{{_RDF}}}RDF")
    return tree
