"""The Tinify API, as the clients of TinyPNG speak it. docs/tinify.md"""
