"""Units, month names and hedges of six languages, as patterns over tidy text with digits."""

from __future__ import annotations

import re

END = r"(?![a-zà-ỹ])"
YEAR = rf"(?:年|years?{END}|yrs?{END}|năm{END}|nam{END}|tahun{END}|thn{END}|th{END}|ปี|taon(?:g)?{END})"
MONTH = rf"(?:個月|個多月|months?{END}|mos?{END}|tháng{END}|thang{END}|bulan{END}|bln{END}|เดือน|buwan(?:g)?{END})"
WEEK = rf"(?:週|周|個?星期|個?禮拜|weeks?{END}|tuần{END}|tuan{END}|minggu{END}|สัปดาห์|อาทิตย์|linggo(?:ng)?{END})"
DAY = rf"(?:天|days?{END}|ngày{END}|ngay{END}|hari{END}|วัน|araw{END})"
AGE = (
    rf"(?:(?:足|實)?歲|years?[ -]?old{END}|yrs?[ -]?old{END}|y\.?/?o{END}|years? of age{END}|tuổi{END}|tuoi{END}"
    rf"|tahun{END}|thn{END}|ขวบ|ปี|taon(?:g)?(?: gulang)?{END}|anyos{END}|years?{END}|yrs?{END})"
)
TIMES = rf"(?:次|回|趟|times?{END}|lần{END}|lan{END}|kali{END}|ครั้ง|beses{END})"
PEOPLE = (
    rf"(?:人|名|位|個人|個員工|people{END}|persons?{END}|employees?{END}|workers?{END}|staff{END}|người{END}"
    rf"|nguoi{END}|nhân viên{END}|nhan vien{END}|công nhân{END}|cong nhan{END}|lao động{END}|lao dong{END}"
    rf"|orang{END}|karyawan{END}|คน|katao{END}|tao{END}|empleyado{END})"
)
LINK = r"\s*(?:-|na\s|ng\s)?\s*"  # "6 months", "6-month", "6 na buwan"
NUMBER = r"(\d{1,7}(?:\.\d{1,3})?)"

ABOUT = re.compile(
    r"大約|大概|約|差不多|左右|上下|好像|應該|~|(?<=\d)來(?=個|人|位|名)"
    r"|\b(?:about|around|approximately|approx|roughly|more or less|or so|maybe|i think|probably)\b"
    r"|khoảng|chừng|khoang|kira-kira|sekitar|kurang lebih|ประมาณ|ราวๆ|humigit-kumulang|humigit kumulang|\bmga \d|siguro"
)
ALMOST = re.compile(
    r"快|將近|接近|即將|下個?月(?=滿)|明年"
    r"|\b(?:almost|nearly|close to|going on|about to|turning|will be|next (?:month|year|week))\b"
    r"|\bgần|\bsắp|\bmau (?=\d)|\b(?:se)?bentar lagi\b|\bgan \d|\bhampir\b|เกือบ(?=\s?\d)|ใกล้|\bhalos\b"
    r"|\bkulang[ -]kulang\b|\bmalapit na\b"
)
LESS = re.compile(
    r"不到|未滿|不滿|沒滿|還沒滿|還沒到|不足|少於|以下|以內"
    r"|\b(?:under|less than|below|not yet|fewer than|younger than|within)\b"
    r"|chưa (?:đến|đủ|tới|được)|chua (?:den|du|toi|duoc)|\bdưới\b"
    r"|\bduoi\b|\bkurang dari\b|\bbelum\b|di bawah|ไม่ถึง|น้อยกว่า|ต่ำกว่า"
    r"|\bwala pang\b|\bhindi pa\b|\bkulang sa\b|\bpababa\b|\bhindi (?:po )?(?:lalampas|lalagpas|hihigit)\b"
    r"|\bat most\b|\bup to\b|\bor fewer\b|\bor less\b|tối đa|trở xuống|toi da|tro xuong|\bmaksimal\b|\bke bawah\b|ไม่เกิน"
)
MORE = re.compile(
    r"超過|以上|多於|至少|大於|不只|不止|\b(?:more than|over|at least|above|older than|or more|or older|plus)\b|\d\+"
    r"|\bhơn\b|\bhon \d|\btrên\b|\btren \d|ít nhất|(?<!kurang )\blebih\b|\bminimal\b|มากกว่า|เกิน|กว่า|อย่างน้อย"
    r"|\bmahigit\b|\bhigit\b|\blampas\b|\blagpas\b|\bpataas\b|trở lên|tro len|\bke atas\b|ขึ้นไป"
)
ODD = re.compile(
    r"(?<=\d)-?an\b|(?<=\d0)'?s\b|(?<=\d) ?mấy\b"
    r"|(?<=\d)\s?(?:多|幾|餘|出頭|something\b|-?ish\b|\+|年多|個多|กว่า)"
)
NOMINAL_AGE = re.compile(r"虛歲|虛年|tuổi mụ|tuoi mu")
NONE_YET = re.compile(
    r"沒有?(?:領|拿|申請)過|(?:從|都|還|完全)?(?:沒有|沒)$|還沒|從來沒|從未|未曾|^沒有?[啊喔耶啦]?$|^無$|[01]次(?:都|也)(?:沒|還沒|不曾)"
    r"|第一次(?:申請|來)|\b(?:never|none|not yet|not once|not(?: even)? 1(?: times?)?$|zero|not any|haven'?t)\b|^no\b"
    r"|chưa|\bchua\b"
    r"|^không(?: có)?$|^khong(?: co)?$|^không (?:lần|người|ai)|^khong (?:lan|nguoi|ai)"
    r"|\bbelum\b|tidak pernah|\bgak pernah\b|ไม่เคย|ยังไม่|^ไม่มี|^ยัง$|\bwala pa\b|\bhindi pa\b|\bwala\b"
)

_MONTHS = (
    "january jan januari jan. enero มกราคม มกรา ม.ค.",
    "february feb februari feb. pebrero กุมภาพันธ์ กุมภา ก.พ.",
    "march mar maret mar. marso มีนาคม มีนา มี.ค.",
    "april apr apr. abril เมษายน เมษา เม.ย.",
    "may mei mayo พฤษภาคม พฤษภา พ.ค.",
    "june jun juni jun. hunyo มิถุนายน มิถุนา มิ.ย.",
    "july jul juli jul. hulyo กรกฎาคม กรกฎา ก.ค.",
    "august aug agustus agust agu aug. agosto สิงหาคม สิงหา ส.ค.",
    "september sept sep sep. setyembre กันยายน กันยา ก.ย.",
    "october oct oktober okt oct. oktubre ตุลาคม ตุลา ต.ค.",
    "november nov nov. nopember nobyembre พฤศจิกายน พฤศจิกา พ.ย.",
    "december dec desember des dec. disyembre ธันวาคม ธันวา ธ.ค.",
)
MONTH_NAMES = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
# One end for all: each would cost its compilation, in every pattern that holds a month.
MONTH_NAME = rf"((?:{'|'.join(map(re.escape, sorted(MONTH_NAMES, key=len, reverse=True)))}){END})"
