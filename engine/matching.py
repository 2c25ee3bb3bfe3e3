"""Pairs of least cost: one question to a library, so that nothing else depends on it."""

from collections.abc import Sequence

import rustworkx

Costs = tuple[int, ...]
Edge = tuple[int, int, Costs]

# Of the 127 that the library has. Its dual variables come to the total of all vertices, and it adds up a few of them.
_MAX_BITS = 120


def optimal_matching(vertices: int, edges: Sequence[Edge]) -> list[tuple[int, int]]:
    """
    Return as many disjoint pairs as possible whose total costs are least, the first cost before the second, and so on.

    Args:
        vertices: how many there are; they are numbered from 0.
        edges: (i, j, costs) for each pair that is allowed, once. Costs are whole numbers >= 0, as many on every edge.

    Returns:
        The pairs (i, j), i < j, sorted. The same edges in the same order give the same pairs.

    The costs of an edge become the digits of one number, each with room for the total of its kind. If that number is
    too long for the library, the last kinds are left out. Swiss rounds stay below: 113 bits of 120 after 40 rounds of
    1,024 entrants.

    Cost: O(vertices * edges * log vertices) in theory, and for n vertices that all know each other: 5 ms for 128,
    60 ms for 256, half a second for 512, 10 s for 1,024.
    Source: Galil, Efficient Algorithms for Finding Maximum Matching in Graphs (1986), in rustworkx.
    """
    if not edges:
        return []
    rooms = [max(column) * (vertices // 2) + 1 for column in zip(*(costs for _, _, costs in edges), strict=True)]
    factors: list[int] = []
    for room in rooms:
        longer = [factor * room for factor in factors]
        if longer and (longer[0] * rooms[0]).bit_length() > _MAX_BITS:
            break
        factors = [*longer, 1]
    graph: rustworkx.PyGraph[None, int] = rustworkx.PyGraph()
    graph.add_nodes_from([None] * vertices)
    graph.add_edges_from(
        [(i, j, -sum(cost * factor for cost, factor in zip(costs, factors, strict=False))) for i, j, costs in edges]
    )
    pairs = rustworkx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    return sorted((min(pair), max(pair)) for pair in pairs)
