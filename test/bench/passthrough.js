// The floor of the bench: the least a Worker can do between an agent and Gong, which is to swap one credential for another.
export default {
  fetch(request, { UPSTREAM, AUTHORIZATION }) {
    const outgoing = new Request(UPSTREAM, request);
    outgoing.headers.set("authorization", AUTHORIZATION);
    return fetch(outgoing);
  },
};
