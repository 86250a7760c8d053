#!/usr/bin/env python3
"""Writes `shared/domain/src/values/numbering.txt`: what Assent needs to know of the world's phone numbers.

    pip install phonenumbers regex
    python3 shared/domain/numbering.py > shared/domain/src/values/numbering.txt

The data are those of libphonenumber (<https://github.com/google/libphonenumber>, Apache-2.0), as the package `phonenumbers`
carries them. The whole library would add megabytes of patterns to each function, for four questions: is a country code assigned,
may a zero follow it, which country is it, and is the number one of a service.
"""
import phonenumbers
import regex
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

DEPTH = 7
SERVICES = ("premium_rate", "shared_cost", "personal_number", "toll_free", "voicemail", "uan", "pager")
PEOPLE = ("fixed_line", "mobile", "voip")
# Satellites and services without a country. Freephone, shared cost and premium rate are services too.
WORLD = {"800", "808", "870", "878", "881", "882", "883", "888", "979"}


def pattern(desc):
    text = desc.national_number_pattern if desc else None
    return regex.compile(text) if text and text != "NA" else None


def may(patterns, prefix):
    return any(one.fullmatch(prefix, partial=True) for one in patterns)


def prefixes(wanted, others, prefix=""):
    """Returns the shortest prefixes that numbers of `wanted` have and numbers of `others` do not."""
    if not may(wanted, prefix):
        return []
    if prefix and not may(others, prefix):
        return [prefix]
    if len(prefix) == DEPTH:
        return []
    found = [one for digit in "0123456789" for one in prefixes(wanted, others, prefix + digit)]
    return [prefix] if prefix and len(found) == 10 and all(len(one) == len(prefix) + 1 for one in found) else found


def leading(text, prefix=""):
    """Returns the prefixes of a region that shares its country code."""
    whole = regex.compile(f"(?:{text})\\d*")
    if not whole.fullmatch(prefix, partial=True):
        return []
    if prefix and all(whole.fullmatch(prefix + digit * (DEPTH - len(prefix))) for digit in "0123456789") and regex.compile(f"(?:{text})").match(prefix):
        return [prefix]
    return [] if len(prefix) == DEPTH else [one for digit in "0123456789" for one in leading(text, prefix + digit)]


def main():
    print("# Country codes of the world's phone numbers. Written by shared/domain/numbering.py; do not edit.")
    print(f"# Source: libphonenumber {phonenumbers.__version__}, https://github.com/google/libphonenumber, read 2026-11-26.")
    print("# code, main region, `0` where a zero may follow the code, then `-prefix` for services, `prefix=REGION` for regions.")
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items(), key=lambda one: str(one[0])):
        main = regions[0]
        if str(code) in WORLD:
            print(code, "001", "-")
            continue
        if main == "001":
            raise SystemExit(f"a code without a region that the list of services lacks: {code}")
        data = [PhoneMetadata.metadata_for_region(region, None) for region in regions]
        people = [p for d in data for kind in PEOPLE if (p := pattern(getattr(d, kind)))]
        services = [p for d in data for kind in SERVICES if (p := pattern(getattr(d, kind)))]
        zero = "0" if may(people, "0") else "."
        parts = ["-" + one for one in prefixes(services, people)]
        for region, d in zip(regions[1:], data[1:]):
            if d.leading_digits:
                parts += [f"{one}={region}" for one in leading(d.leading_digits)]
                continue
            own = [p for kind in PEOPLE if (p := pattern(getattr(d, kind)))]
            rest = [p for other in data if other is not d for kind in PEOPLE if (p := pattern(getattr(other, kind)))]
            parts += [f"{one}={region}" for one in prefixes(own, rest)]
        print(code, main, zero, *parts)


if __name__ == "__main__":
    main()
