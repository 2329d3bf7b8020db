"""The one door: a picture and the fields that came with it become jobs, in whichever process."""
