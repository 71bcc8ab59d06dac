"""The models are those of the migrations; nothing here is asked for them."""
