"""Use the stages of a scan one by one: open, sample, follow faces, measure.

Usage: python examples/stages.py CLIP
"""

import sys

import forensics as fx


def main(path: str) -> None:
    clip = fx.open_clip(path)
    print(clip.codec, clip.size, f"{clip.duration:.1f} s")
    with fx.stream_frames(clip, fx.SamplingPlan(frames=8)) as frames:
        followed = fx.follow_faces(frames)
    detector = fx.create_detector("blend")
    for track, crops in followed:
        usable = crops.select([q.usable for q in crops.quality])
        print(track, f"{len(usable)} of {len(crops)} crops can carry a judgement")
        for evidence in detector.score(usable):
            print(evidence.kind, evidence.artifacts["logits"].round(2).tolist())


if __name__ == "__main__":
    main(sys.argv[1])
