// The floor of the page bench: a Worker that answers with a page of as many bytes as the path says, and does nothing else.
export default {
  fetch(request) {
    const bytes = Number(new URL(request.url).pathname.slice(1));
    return new Response("x".repeat(bytes), { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};
