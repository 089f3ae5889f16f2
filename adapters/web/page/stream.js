// The stream: says when something happened and whether figures are live; resumes from its cursor.

const SILENCE_MS = 15000, RETRY_MS = [250, 500, 1000, 2000, 5000];

export function follow(heard, lost) {
  let cursor = null, tries = 0, silence;
  function open() {
    const after = cursor ? `?after=${encodeURIComponent(cursor)}` : '';
    const socket = new WebSocket(`ws://${location.host}/api/stream${after}`);
    let over = false;
    const end = (event) => {
      if (over) return;
      over = true;
      clearTimeout(silence);
      socket.close();
      if (event?.code === 4409) cursor = null;  // Another journal: everything is read anew.
      lost();
      setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    };
    const wait = () => { clearTimeout(silence); silence = setTimeout(end, SILENCE_MS); };
    wait();
    socket.onclose = end;
    socket.onmessage = (event) => {
      if (over) return;
      wait();
      tries = 0;
      const message = JSON.parse(event.data);
      if (message.cursor) cursor = message.cursor;
      else if (!cursor && message.type === 'daemon_status') cursor = message.data.head;
      heard(message);
    };
  }
  open();
}
