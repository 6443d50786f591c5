"""Two things that pyproject.toml cannot say about the build; all else is there."""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class PackageAtTheRoot(build_py):
    """Collects the modules of a package whose folder is the root of the repository."""

    def run(self) -> None:
        """Start from an empty folder: the build before may hold modules deleted since."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Leave out this file, which is no module of the package."""
        return [
            module
            for module in super().find_package_modules(package, package_dir)
            if module[1] != "setup"
        ]


setup(cmdclass={"build_py": PackageAtTheRoot})
