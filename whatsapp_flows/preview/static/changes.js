// The stream of changes. A browser keeps up to six connections to a host, for all of its tabs: so one tab of a preview
// has the stream, and tells the others. When it is closed, the next one opens its own.
//
// Web Locks API, "navigator.locks": only for this machine's own names or over TLS; elsewhere each tab has a stream.

const NAME = "whatsapp-flows-preview-changes";

export class Changes {
  // `onRevision(number)`: there is another state. `onLost()`: the server does not answer.
  constructor({ onRevision, onLost }) {
    this.onRevision = onRevision;
    this.onLost = onLost;
    this.source = null;
    this.channel = new BroadcastChannel(NAME);
    this.channel.onmessage = ({ data }) => this.#told(data);
    this.asked = false;
  }

  open() {
    if (this.source || !navigator.locks) {
      this.#listen();
    } else if (!this.asked) {
      this.asked = true;
      // The promise is never settled: the lock is free again when the tab is gone.
      navigator.locks.request(NAME, () => {
        this.#listen();
        return new Promise(() => undefined);
      });
    }
  }

  #listen() {
    if (this.source && this.source.readyState !== EventSource.CLOSED) {
      return;
    }
    this.source = new EventSource("/changes");
    this.source.onmessage = ({ data }) => this.#tell(JSON.parse(data).revision);
    this.source.onerror = () => this.#tell(null);
  }

  // A revision, or null for a stream that was cut off.
  #tell(revision) {
    this.channel.postMessage(revision);
    this.#told(revision);
  }

  #told(revision) {
    if (revision === null) {
      this.onLost();
    } else {
      this.onRevision(revision);
    }
  }
}
