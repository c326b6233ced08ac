"""What a finding can ask for, in words. Codes are stable; reports carry the codes."""

from __future__ import annotations

ACTIONS: dict[str, tuple[str, str]] = {
    "stop_and_label": (
        "Stop spreading the file; it may go on once it is conspicuously labelled.",
        "立即停止传输;显著标识后方可继续传输。",
    ),
    "add_visible_label": (
        "Burn a visible label into the opening seconds (forensics label).",
        "在起始画面添加显式标识(forensics label)。",
    ),
    "write_label_1": (
        "Show 属于 (is AI-generated) and write Label 1 with the propagation elements.",
        "标注“属于”AI生成合成内容,写入Label 1及传播要素。",
    ),
    "write_label_2": (
        "Show 可能为 (may be AI-generated) and write Label 2 with the propagation elements.",
        "标注“可能为”AI生成合成内容,写入Label 2及传播要素。",
    ),
    "write_label_3": (
        "After a person has looked: show 疑似 (suspected) and write Label 3.",
        "经人工复核后标注“疑似”AI生成合成内容,写入Label 3。",
    ),
    "write_implicit_label": (
        "Write one implicit label into the metadata (forensics label).",
        "在元数据中写入唯一的隐式标识(forensics label)。",
    ),
    "correct_implicit_label": (
        "Have the producer write the implicit label anew in the standard's form.",
        "由生成方按标准格式重新写入隐式标识。",
    ),
    "ask_producer": (
        "Ask the producer for the marked original.",
        "向生成方索取带标识的原始文件。",
    ),
    "ask_for_consent": (
        "Ask for the consent of the person shown.",
        "要求提供被编辑者的单独同意证明。",
    ),
    "sign": ("Sign the file with C2PA (forensics label).", "使用C2PA签名(forensics label)。"),
    "add_timestamp": (
        "Sign with a time stamp: give --tsa with the address of an authority.",
        "签名时使用 --tsa 指定时间戳机构。",
    ),
    "add_watermark": (
        "Add an imperceptible watermark (forensics label).",
        "添加不可感知的水印(forensics label)。",
    ),
    "look_closer": (
        "Run again with --level full, which looks at the pixels.",
        "使用 --level full 检查画面。",
    ),
    "review_by_person": ("A person has to look.", "需要人工复核。"),
}
"""English and Chinese text by code."""
