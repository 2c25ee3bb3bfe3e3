"""The library's matchings are optimal, cost after cost, as networkx and trying every pairing find them too."""

from random import Random

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from engine.matching import optimal_matching

graphs = st.integers(2, 8).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.dictionaries(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]),
            st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 10**6)),
        ),
    )
)


def every_matching(left, edges):
    if not left:
        yield ()
        return
    first, rest = left[0], left[1:]
    yield from every_matching(rest, edges)
    for other in rest:
        if (first, other) in edges:
            for pairs in every_matching([v for v in rest if v != other], edges):
                yield ((first, other), *pairs)


@given(graphs)
def test_first_the_most_pairs_and_then_each_cost_in_its_turn(graph):
    n, edges = graph

    def rank(pairs):
        return -len(pairs), *(sum(edges[pair][k] for pair in pairs) for k in range(3))

    found = optimal_matching(n, [(i, j, costs) for (i, j), costs in edges.items()])
    assert found == sorted(found)
    assert len({v for pair in found for v in pair}) == 2 * len(found)
    assert rank(found) == min(rank(pairs) for pairs in every_matching(list(range(n)), edges))


@given(st.integers(9, 60), st.integers(1, 1000), st.floats(0.1, 1), st.integers())
def test_as_good_as_networkx_on_larger_graphs(n, most, density, seed):
    rng = Random(seed)
    edges = {(i, j): rng.randrange(most) for i in range(n) for j in range(i + 1, n) if rng.random() < density}
    graph = nx.Graph()
    graph.add_weighted_edges_from((i, j, -cost) for (i, j), cost in edges.items())
    expected = nx.max_weight_matching(graph, maxcardinality=True)
    found = optimal_matching(n, [(i, j, (cost,)) for (i, j), cost in edges.items()])
    assert len(found) == len(expected)
    assert sum(edges[pair] for pair in found) == sum(edges[min(pair), max(pair)] for pair in expected)


def test_where_numbers_would_be_too_long_the_last_costs_give_way():
    costs = {(0, 1): 0, (2, 3): 0, (0, 2): 1, (1, 3): 0}
    edges = [(i, j, (first, 10**30, 10**30 - i)) for (i, j), first in costs.items()]
    assert optimal_matching(4, edges) == [(0, 1), (2, 3)]
