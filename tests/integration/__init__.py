"""Tests of the program on a node. A package, so that its cluster ends with it: pytest scope "package" asks for one."""
