"""What an installed e320proto says about itself."""

from __future__ import annotations

from importlib import metadata, resources

import pytest

import e320proto


@pytest.fixture(scope="module")
def distribution() -> metadata.Distribution:
    return metadata.distribution("e320proto")


def test_versions_agree(distribution: metadata.Distribution) -> None:
    assert distribution.version == e320proto.__version__


def test_type_marker_is_part_of_the_package() -> None:
    assert resources.files("e320proto").joinpath("py.typed").is_file()


def test_command_points_at_the_command_line(distribution: metadata.Distribution) -> None:
    commands = {entry.name: entry.value for entry in distribution.entry_points if entry.group == "console_scripts"}
    assert commands == {"e320": "e320proto.cli:main"}


def test_command_can_be_loaded(distribution: metadata.Distribution) -> None:
    pytest.importorskip("typer", reason="the extra cli is not installed")
    (entry,) = distribution.entry_points.select(group="console_scripts")
    assert callable(entry.load())


def test_core_needs_only_four_packages(distribution: metadata.Distribution) -> None:
    needed = {line for line in distribution.requires or () if "extra ==" not in line}
    assert {line.partition(">")[0].partition("<")[0].strip() for line in needed} == {
        "construct",
        "crcmod-plus",
        "cryptography",
        "pyserial-asyncio-fast",
    }
