"""`script/bench scale`: how near to libjpeg-turbo's look each format comes at the same number of
quality, and the tables that would come nearest."""
