# %% [markdown]
# # MQTT in a notebook
# The blocking client works in Jupyter, where an event loop runs already. Run the cells one by one: in Jupyter (with
# jupytext), VS Code, Spyder, or all at once with `python notebook.py`.

# %%
import statistics
import time

from mqtt_p2p import Client, Message
from mqtt_p2p.testing import Emulator

broker = Emulator(anonymous=True, standard=True)  # Or a broker of yours.
broker.start()
client = Client(broker.url)
client.connect()

# %% [markdown]
# A handler goes on in the background while you look at other cells. Run its cell again and there are two: make a new
# client first.

# %%
seen: list[Message] = []


@client.on_message("lab/#", qos=1)
def keep(message: Message) -> None:
    """Collects what comes."""
    seen.append(message)


# %%
for value in (19.5, 20.0, 20.5):
    client.publish("lab/temperature", str(value), qos=1)

# %% [markdown]
# Or wait for the next messages right here.

# %%
with client.subscribe("lab/pressure") as messages:
    client.publish("lab/pressure", "1013")
    print(messages.get(timeout=5))

# %%
while len(seen) < 3:  # The handler has a thread of its own.
    time.sleep(0.01)
values = [float(message.text) for message in seen if message.topic == "lab/temperature"]
print(f"{len(values)} values, {statistics.mean(values):.1f} on average")

# %%
client.close()
broker.stop()
