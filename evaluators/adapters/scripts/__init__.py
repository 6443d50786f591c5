"""Scripts that run in environments of their own: each reads a problem folder and answers it.

They import nothing of this package, which is not installed there; see `docs/any_language.md`
for what they read and write.
"""
