"""Tests of the agent on a cluster. A package, so that its cluster ends with it: pytest scope "package" asks for one."""
