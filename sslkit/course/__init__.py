"""The course as a class gets it: editions of its notebooks for students and for instructors, made from the committed ones, and the
grading of what comes back."""

from .editions import HINTS, instructor, student, write
from .grading import Graded, grade_all, grade_one

__all__ = ["Graded", "HINTS", "grade_all", "grade_one", "instructor", "student", "write"]
