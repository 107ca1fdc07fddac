"""The course as a class gets it: editions of its notebooks for students and for instructors, made from the committed ones."""

from .editions import HINTS, instructor, student, write

__all__ = ["HINTS", "instructor", "student", "write"]
