"""Compiles the native packet path when the package is built, where there is a compiler."""

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativePathHook(BuildHookInterface[Any]):
    """Puts the library into the wheel, which then is for this kind of machine alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; without a compiler the wheel is one for all machines, with the Python path."""
        where = Path(self.root) / "media" / "native" / "build.py"
        found = importlib.util.spec_from_file_location("native_build", where)
        if found is None or found.loader is None:
            raise RuntimeError("media/native/build.py is not there")
        native = importlib.util.module_from_spec(found)
        found.loader.exec_module(native)
        if native.compiler() is None:
            self.app.display_warning("no C compiler: the packet path will be the Python one")
            return
        library = native.build()
        if version == "standard":
            build_data["artifacts"].append(library.relative_to(self.root).as_posix())
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"
