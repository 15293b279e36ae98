"""placeholder"""
from resolver.errors import ResolutionFailed
from resolver.graph import Graph
from resolver.incompatibilities import Incompatibility
from resolver.inputs import Problem
def explain(incompatibility: Incompatibility, graph: Graph, python: str, problem: Problem) -> ResolutionFailed:
    return ResolutionFailed("no")
