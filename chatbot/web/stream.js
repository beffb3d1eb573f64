// Runs before gradio's own scripts. Their client hears of its events on one stream, which the
// server ends as soon as nothing is left to be said. Of an event that is sent at just that moment
// the client would never hear: it still takes the stream for open when the event is queued, and
// opens no other. Here a stream goes on in the next one for as long as an event waits for its end.
{
  const fetched = window.fetch.bind(window);
  const waiting = new Set(); // events that are queued and have not ended
  const ended = new Set(); // events that ended before it was known that they were queued
  const ENDS = /"msg": ?"process_completed"/;
  const CLOSES = /"msg": ?"close_stream"/;

  const end = (message) => {
    const { event_id } = JSON.parse(message.slice(message.indexOf("{")));
    if (!waiting.delete(event_id)) ended.add(event_id);
  };

  // Each whole message of the stream, but the one that would close it too early.
  async function* messages(request, reply) {
    for (let early = true; early; ) {
      early = false;
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const whole = (text + part.value).split("\n\n");
        text = whole.pop();
        for (const message of whole) {
          if (ENDS.test(message)) end(message);
          early = CLOSES.test(message) && waiting.size > 0;
          if (!early) yield `${message}\n\n`;
        }
      }
      if (early) reply = await fetched(request.clone());
      if (!reply.ok) throw new Error(`The stream ended with ${reply.status}`);
    }
  }

  const lasting = (request, reply) => {
    const source = messages(request, reply);
    const body = new ReadableStream({
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => source.return(),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), reply);
  };

  window.fetch = async (...given) => {
    const { pathname } = new URL(given[0]?.url ?? given[0], location.href);
    if (pathname.endsWith("/queue/data")) {
      const request = new Request(...given);
      const reply = await fetched(request.clone());
      return reply.ok ? lasting(request, reply) : reply;
    }
    const reply = await fetched(...given);
    if (reply.ok && pathname.endsWith("/queue/join")) {
      const { event_id } = await reply.clone().json();
      if (!ended.delete(event_id)) waiting.add(event_id);
    }
    return reply;
  };
}
