"""The programs of the library, one file a family.

A family file ends with `PROGRAMS`, its `ProgramSpec`s in the order in which they are
listed. RASP that several families use stands in `idioms`.
"""
