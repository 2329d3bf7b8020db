"""JPEG XL files that another program wrote: cjxl 0.7 of small pictures, each with other options."""

from __future__ import annotations

from base64 import b64decode

PROGRESSIVE = b64decode(
    "/wpYMJBQXAgAEogACAO/yigBAFChMsq4wcu5ni8/dFhM27jO0FbbFpYkioxjk3QChySxjO5cFQLqDo77Ime+nOTc"
    "eDU1i1cuPsittaUjttGsxANAhRRItUtJIkkmxcy8y8zMuwVRVAHQBuie72jSDXT9YoJeEaVT/FtLhWIp6GZxsQEe"
    "B/gcPV9lsIgcDXgOkNgdJ+AEJdpN51ItnTD8pK85BtS5zD9Afom3sRMsVKre9QJjoV0SnCz8N3bvdBtTRvLJjJ++"
    "VqmH/ahVuwTCBQ=="
)
"""Corners(16, 12), progressive."""

MODULAR = b64decode("/wpYMBBQXAgIAgEAnABLGJt8PBgIgLrxFONd7AWCACAYSQjggLM4AawF1R6f+9WUZS+CTQY=")
"""The same, modular and without loss."""

BOXES = b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAADYanhsY/8KWDCQUFwIABKIAAgDv8ooAQBQoTLKuMHL"
    "uZ4vP3RYTNu4ztBW2xaWJIqMY5N0AocksYzuXBUC6g6O+yJnvpzk3Hg1NYtXLj7IrbWlI7bRrMQDQIUUSLVLSSJJ"
    "JsXMvMvMzLsFUVQB0Abonu9o0g10/WKCXhGlU/xbS4ViKehmcbEBHgf4HD1fZbCIHA14DpDYHSfgBCXaTedSLZ0w"
    "/KSvOQbUucw/QH6Jt7ETLFSq3vUCY6FdEpws/Dd273QbU0byyYyfvlaph/2oVbsEwgU="
)
"""The same as `PROGRESSIVE` without that, in boxes."""

TURNED = b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAGxanhsY/8KC4YFEopLAgASiABoBr/KKAEAUKEyyrjB"
    "y7meLz90WEzbuM7QVtsWliSKjGOTdAKHSQoKnABIMUoxqm5i/L/dAkQACZe+yOFr6YWwtrv0faLWZ7iZ3q/S1IHP"
    "2B+xLhrSM15JgwRQRWCnC8yU2f/xZCI7MlE3YfoC9cWaRGQuXrJiLEoWW+tfgcCbA+gme8Qg4OHsoR4ThsTFWBCQ"
    "/gJAQolxC38C1Lh9ApAkSfecc87bxw8g6e6e83S6PQgpkGu3qnTkRR7Ju7s4OTHGEcRyAEACw/J9c2r+n8iVUlce"
    "OE3usS0wscqBKty2pPpKPKu8Gk62ufmEdzOTWAJ3CHJfwcF714XQeqU8SFhdt3qQ5if+GVyxgMBBx70rgYGHyDtg"
    "O/8uVPVx+QOAVuy42gFUSQQSrSH2rs9n0i8DBzyHuj9bdXtnAR98p0DGBwgm37jRl6vPxD5GvPsaa2H79MSb/RtA"
    "zbenQBcJ7jkA1hYanEpJMAuhIuvI10DWJiexNo2qOzvSYt9IMgVzm/wswBfGy5fuLHJGT9JMFB7yTEU/U+8FNtud"
    "ItMD"
)
"""Corners(48, 32), stored with orientation 6."""

OF_A_JPEG = b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAATanhscAAAAAD/CguGBWICAAAB42picmTAcNsAgiAI"
    "LQMCQCIAoUaBkKtKAABAyFHZgqE4/yeIjBHKOKcUtB8hQ5ilDjLMQOkONVgfMpx8zIBDDiosctCwA9tHDf37I8sc"
    "dtyBhqL7X4xxxiSXbPLJKKc8M80123wzzjkLPTTRRRt9NNJJSz011VVbfTXWWYs9Ntllm3022mnLPTfdddt9N955"
    "Cz444YUbfjjiiUcu+eSUV2755ZhnHrroo5Neuumno5567LLPTnvttt+Oe+7BCz888cUbfzzyyUcv/fTUV2/99dhn"
    "D3744o9Pfvnmn49++vDHL//89Ndv//345/+vYKqqBABAyFHZgqE4/y+IhFJGWacUifGAkM2oQYZJdaCherDh3EOO"
    "GVCQDxpy0GEHNhZZ5qjf7cOOG1rRH3lm8EmG978Y44xLNvlklFOmuWabb8Y5Z6GHJrpoo49GOmmpp6a6aquvxjpr"
    "sccmu2yzz0Y7bbnnprtuu+/GO+/ABR+c8MINPxzxxCOXfHLKK7f8cswzD1300Ukv3fTTUU89dtlnp71222/HPffg"
    "hR+e+OKNPx755KOXfnrqq7f+euyzD1/88ckv3/zz0U8/fvnnp79+++/HP/9/gR8AqCwACwiA4AAQSkZJRgABAQAA"
    "AQABAAADAAAAK2Jyb2JFeGlmGx0AAAR0YxsHMVuiqb8TCWWUWLSAJA/Qlv+LHikZAAAAARJqeGxwgAAAAeBbAhAA"
    "/AMKagpqCmr+/w4AABgACAABAAAAAACAgCWJBKhezBXAd0voAQAoOSkoKChcEKTF4Fl2UbOYIPO9AePmJ3pDlTlK"
    "jGOK+8KPkgswHUa843diXbfx8f3PgDT4d7XjDgDABIATQAxVVKRAmjgkqSMISFJBBJEkNwMBSZIkSZIkSZIkSZIk"
    "SfIpkujYrWGSJtUlZGN3W9HvWpkgymj5FFRHCFi7i5BkXylGqkJIQSvAhOYFoOQbNYN8xoUkw74ASSJ7IpIkIEGU"
    "SJIkSZIkSZIkSZIkSRIAAAAAAEAhBbIrxTJGMsYgMpIxBoMxUrQGpqB6JpsXvubPV+mNikQf4+cjwJs="
)
"""The same as a JPEG that can be made again."""

TRANSPARENT = b64decode(
    "/wpYMLCguBAICBAAQAFLKDQW3qGgYIIRSLvoGIN3o+61MUrHlQAMACEYAIIwAMSCAKjyRwAgioa5mGRExBsJcYLG"
    "AY5zO0c4Dh9C4PqcPLsgWjeaUDc9VNUxFSpXAQ=="
)
"""Corners(16, 12) with transparency, without loss."""

DEEP = b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAAJanhsbAoAAABGanhsY/8KWDD8AMWFCAIBAMAASzhp"
    "mMqD9ysoCBnXGrDPj0kAwOw/IogggsjrCyKIIIII/j8iiCCCCCLyboggAo4H"
)
"""16 grey steps of 16 bit, without loss."""

GREY = b64decode(
    "/wpYMJAUFwIAEogAZAG/bYgBAFChMsq4wcu5ni8/dFhM27jO0FbbFpYkioxjk3QChySxDoNdeAYDGBhm5rxDr14K"
    "0NAyCpUkViDydusbAgoIQf0L0WAPACCs18V9ijNgAJgACABoAA=="
)
"""A ramp of grey."""

MOVING = b64decode(
    "/wpYMMEAAopLAggCkgkAAKgASxiTjoODAKgbTzEerxcIAuBg9iSAU9PgBADEVNu9Szq+PVzKwkKgAaAACALqCwAA"
    "qABLGJOOg4MAqBvJGI/XCwQBkDBYIcApaXACAGKq7V4hHd8eDqyAESsANgEIAlIIAACoAEsYk46DgwCoG08xHq8X"
    "CALgYPYkgFPT4AQAxFTbvUs6vj1cysJCoAGgAAgC8woAAAQAqABLGJOOg4MAqBvJGI/XCwQBkDBYIcApaXACAGKq"
    "7V4hHd8eDqyAESsANgE="
)
"""An animation of four frames, without loss."""
