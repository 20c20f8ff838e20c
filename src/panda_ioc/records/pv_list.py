"""Lists of PVs, one name per line, for archivers and gateways."""

from collections.abc import Mapping

from panda_ioc.records.build import RecordSet
from panda_ioc.records.database import structure_names


def pv_lists(records: RecordSet) -> Mapping[str, str]:
    """Return the lists of PVs by the ending of their file name.

    "" holds the small PVs, which an archiver can take as they are; "-large" arrays and long texts;
    "-aliases" further names of both; "-pva" structures. A gateway needs them all. "-left-out" holds
    the names that are not served, as they are too long under the prefix.
    """
    prefix = records.prefix
    names = {
        "": [spec.name for spec in records.specs if spec.rtype != "waveform"],
        "-large": [spec.name for spec in records.specs if spec.rtype == "waveform"],
        "-aliases": [alias for spec in records.specs for alias in spec.aliases],
    }
    full = {ending: [f"{prefix}:{name}" for name in found] for ending, found in names.items()}
    full["-pva"] = structure_names(records.specs)
    full["-left-out"] = [f"{prefix}:{name}" for name in records.left_out_names]
    return {
        ending: "".join(f"{name}\n" for name in sorted(found)) for ending, found in full.items()
    }
