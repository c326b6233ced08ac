"""Feature-point swap: warp one photo's face onto another, triangle by triangle. No training.

The oldest of the designs: the 468 mesh points of both faces are joined by one Delaunay
triangulation, each triangle of the source is mapped affinely onto its fellow in the target,
colours are matched, and the seam is closed by Poisson cloning (Perez et al. 2003) or a feathered
edge. It moves the source's pixels and invents none, so it keeps the source's lighting and cannot
show a part of the face that the source picture does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from forensics.errors import UsageError
from forensics.faces.mesh import OVAL
from generator.methods import register_method
from generator.methods._base import FACE_SIZE, AlignedFace, Method, SwappedFace

_INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178,
               88, 95)  # fmt: skip
_OPEN = 0.12
_SWEEPS = 12
_EDGE = cv2.BORDER_REPLICATE
_BLENDS = ("poisson", "feather")
_MIN_AREA = 0.02
"""Triangles below this area, in pixels of the source crop, are seen edge-on."""


@register_method
class LandmarkMethod(Method):
    """Warp the best-fitting source photo.

    Options:
        blend: ``feather`` (default, steady in clips) or ``poisson`` (follows the light at the
            seam, and with it hair that crosses the seam).
        colour: Strength of the colour match, 0..1, default 1.
    """

    name: ClassVar[str] = "landmark"
    summary: ClassVar[str] = "feature points, piecewise-affine warp, colour match; no training"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._blend = str(self.options.get("blend", "feather"))
        self._colour = float(self.options.get("colour", 1.0))
        if self._blend not in _BLENDS:
            raise UsageError(f"blend must be {' or '.join(_BLENDS)}, got {self._blend!r}")
        if not 0.0 <= self._colour <= 1.0:
            raise UsageError(f"colour must be in 0..1, got {self._colour}")
        self._sources: list[AlignedFace] = []
        self._shapes: NDArray[np.float64] = np.empty((0, 0))
        self._triangles: NDArray[np.int64] = np.empty((0, 3), np.int64)

    def prepare(self, source: Sequence[AlignedFace]) -> None:
        """Keep the source faces and triangulate the first once, for all frames.

        Raises:
            UsageError: No source face.
        """
        if not source:
            raise UsageError("the landmark method needs at least one source face")
        self._sources = list(source)
        self._shapes = np.stack([_shape(face.mesh) for face in self._sources])
        self._triangles = triangulate(self._sources[0].mesh[:, :2])

    def swap_face(self, target: AlignedFace) -> SwappedFace:
        """Warp the source face whose shape is nearest to the target's."""
        if not self._sources:
            raise UsageError("the landmark method was not given a source face")
        # Pose and expression are part of the shape, so a nearer shape needs less bending.
        nearest = np.argmin(((self._shapes - _shape(target.mesh)) ** 2).sum(axis=1))
        source = self._sources[int(nearest)]
        warped = warp_triangles(
            source.crop, source.mesh[:, :2], target.mesh[:, :2], self._triangles
        )
        # A closed mouth holds no teeth to show: the target's own are kept.
        opens = _gape(target.mesh) > max(_OPEN, 1.5 * _gape(source.mesh))
        hull = face_hull(target.mesh[:, :2], mouth_open=opens)
        matched = match_colour(warped, target.crop, hull > 0.5, self._colour)
        return _BLENDERS[self._blend](matched, target.crop, hull)


def triangulate(points: NDArray[Any]) -> NDArray[np.int64]:
    """Return a Delaunay triangulation as (m, 3) indices into ``points`` (n, 2)."""
    xy = np.asarray(points, np.float32)
    low = np.floor(xy.min(axis=0)) - 2
    span = np.ceil(xy.max(axis=0)) - low + 4
    plane = cv2.Subdiv2D((int(low[0]), int(low[1]), int(span[0]), int(span[1])))
    index: dict[tuple[float, float], int] = {}
    for i, (x, y) in enumerate(xy):
        index.setdefault((float(x), float(y)), i)
        plane.insert((float(x), float(y)))
    corners = np.asarray(plane.getTriangleList(), np.float32).reshape(-1, 3, 2)
    found = [
        [index[(float(x), float(y))] for x, y in triangle]
        for triangle in corners
        # The subdivision's own outer corners are no points of the face.
        if all((float(x), float(y)) in index for x, y in triangle)
    ]
    return np.asarray(found, np.int64).reshape(-1, 3)


def warp_triangles(
    image: NDArray[np.uint8],
    source: NDArray[Any],
    target: NDArray[Any],
    triangles: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Map ``image`` so that each triangle of ``source`` points falls on that of ``target``.

    One lookup table is built for the whole face, so the picture is interpolated once and edges
    between triangles show no seam.

    Args:
        image: (h, w, 3) ``uint8``.
        source: (n, 2) points in ``image``.
        target: (n, 2) where they shall come to lie, on a canvas of the same size.
        triangles: (m, 3) indices.
    """
    height, width = image.shape[:2]
    src, dst = (np.asarray(p, np.float64)[triangles] for p in (source, target))
    areas = np.minimum(_areas(src), _areas(dst))
    order = np.argsort(_areas(dst))
    # Where the face overlaps itself, the larger triangles lie in front: they are drawn last.
    order = order[areas[order] >= _MIN_AREA]
    src, dst = src[order], dst[order]
    owner = np.full((height, width), -1, np.int32)
    for i, corners in enumerate(np.round(dst * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, corners, i, shift=4)
    outside = owner < 0
    affine = np.linalg.solve(np.concatenate([dst, np.ones((len(dst), 3, 1))], axis=2), src)
    rows, columns = np.indices((height, width))
    here = np.stack([columns, rows, np.ones_like(rows)], axis=-1).astype(np.float64)
    table = np.einsum("hwi,hwij->hwj", here, affine[owner]).astype(np.float32)
    table[outside] = -1
    warped = cv2.remap(
        image,
        table[..., 0],
        table[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    warped[outside] = 0
    return np.asarray(warped, np.uint8)


def face_hull(points: NDArray[Any], *, mouth_open: bool = False) -> NDArray[np.float32]:
    """Return (256, 256) ones inside the face oval of a (468, 2) mesh.

    Args:
        points: Mesh, crop pixels.
        mouth_open: Leave out what lies between the lips.
    """
    mask = np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    outline = cv2.convexHull(np.asarray(points, np.float32)[list(OVAL)])
    cv2.fillConvexPoly(mask, np.round(outline * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    if mouth_open:
        lips = np.round(np.asarray(points, np.float32)[list(_INNER_LIPS)] * 16).astype(np.int32)
        cv2.fillPoly(mask, [lips], 0.0, cv2.LINE_AA, 4)
    return mask


def _gape(mesh: NDArray[np.float32]) -> float:
    """Return how far the lips are apart over the mouth's width."""
    xy = mesh[:, :2]
    width = float(np.linalg.norm(xy[78] - xy[308]))
    return float(np.linalg.norm(xy[13] - xy[14])) / max(width, 1e-6)


def match_colour(
    face: NDArray[np.uint8],
    target: NDArray[np.uint8],
    inside: NDArray[np.bool_],
    strength: float,
) -> NDArray[np.uint8]:
    """Give ``face`` the target's low-frequency colour by the ratio of blurred pictures.

    Both are blurred within the mask only; the ratio then carries over light and skin tone, and
    leaves the source's features.
    """
    if strength <= 0 or not inside.any():
        return face
    weight = inside.astype(np.float32)[..., None]
    sigma = FACE_SIZE / 10

    def smooth(picture: NDArray[Any]) -> NDArray[np.float32]:
        soft = cv2.GaussianBlur(picture.astype(np.float32) * weight, (0, 0), sigma)
        total = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
        return np.asarray(soft / np.maximum(total, 1e-3), np.float32)

    ratio = np.clip(smooth(target) / np.maximum(smooth(face), 8.0), 0.5, 2.0)
    matched = face * (1 + strength * (ratio - 1))
    return np.asarray(np.clip(matched + 0.5, 0, 255), np.uint8)


def _poisson(
    face: NDArray[np.uint8], target: NDArray[np.uint8], hull: NDArray[np.float32]
) -> SwappedFace:
    """Keep gradients: the difference at the seam is spread smoothly inwards."""
    size = np.ones((5, 5), np.uint8)
    whole = (hull > 0.5).astype(np.uint8)
    inner = cv2.erode(whole, size, iterations=2) > 0
    seam = (whole > 0) & ~inner
    offset = cv2.GaussianBlur(target.astype(np.float32) - face, (0, 0), 1.0)
    spread = membrane(_real(offset), seam)
    cloned = np.clip(face + spread + 0.5, 0, 255)
    filled = np.where(hull[..., None] > 0.5, cloned, target)
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 2.0)
    return SwappedFace(np.asarray(filled, np.uint8), mask=_float(soft), finished=True)


def membrane(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Spread values harmonically (zero Laplacian) from where they are known to everywhere else.

    Added to a pasted patch this is Poisson cloning: gradients stay, the seam vanishes. Solved from
    coarse to fine, to within a few per cent of the values' range, since OpenCV's own cloning
    leaves most of the target in place (version 5.0).

    Args:
        values: (h, w, c), read where ``known``.
        known: (h, w).
    """
    weight = known.astype(np.float32)
    height, width = known.shape
    if min(height, width) > 8 and known.any():
        half = ((width + 1) // 2, (height + 1) // 2)
        share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA)
        coarse = membrane(_real(mean / np.maximum(share, 1e-6)[..., None]), _real(share) > 0)
        field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        sweeps = _SWEEPS
    else:
        field = np.zeros_like(values)
        if known.any():
            field += values[known].mean(axis=0)
        sweeps = 8 * _SWEEPS
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    hold = known[..., None]
    for _ in range(sweeps):
        field = np.where(hold, values, cv2.filter2D(field, -1, kernel, borderType=_EDGE))
    return np.asarray(field, np.float32)


def _feathered(
    face: NDArray[np.uint8], target: NDArray[np.uint8], hull: NDArray[np.float32]
) -> SwappedFace:
    """Soften the mask inwards, so that nothing outside the warped face is taken."""
    size = np.ones((5, 5), np.uint8)
    soft = cv2.GaussianBlur(cv2.erode(hull, size, iterations=4), (0, 0), 6.0) * (hull > 0)
    filled = np.where(hull[..., None] > 0.5, face, target)
    return SwappedFace(np.asarray(filled, np.uint8), mask=_float(soft), finished=True)


_BLENDERS = {"poisson": _poisson, "feather": _feathered}


def _real(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def _float(mask: Any) -> NDArray[np.float32]:
    return np.asarray(np.clip(mask, 0.0, 1.0), np.float32)


def _shape(mesh: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mesh without position and size, flat."""
    xy = mesh[:, :2].astype(np.float64)
    xy -= xy.mean(axis=0)
    return np.asarray(xy.ravel() / max(float(np.sqrt((xy**2).mean())), 1e-9))


def _areas(triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the areas of (m, 3, 2) triangles."""
    one, two = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return np.asarray(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2)
