"""How Rasa is run here: without TensorFlow, and with the actions in the same process."""
