"""The exceptions of Secant: JAX's names, and one class a status of the library."""

from secant import _errors

globals().update(
    {name: cls for name, cls in vars(_errors).items() if isinstance(cls, type) and issubclass(cls, Exception)}
)
