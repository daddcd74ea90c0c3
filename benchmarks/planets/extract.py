"""Makes planets.csv: the giant planets as seen from the Sun, 1950-2010, out of JPL's ephemeris DE421.

    pip install skyfield-data==7.0.0 jplephem==2.24 numpy==2.4.6
    python extract.py > planets.csv

skyfield-data (MIT) ships de421.bsp, a binary SPK kernel of NASA's Jet Propulsion Laboratory; the positions
themselves are work of the US government and in the public domain.  Reference: W. M. Folkner, J. G. Williams,
D. H. Boggs, "The Planetary and Lunar Ephemeris DE 421", IPN Progress Report 42-178, 2009.
"""
import os

import numpy as np
import skyfield_data
from jplephem.spk import SPK

AU = 149597870.699626  # km, the astronomical unit of DE421
START = 2433282.5  # Julian day, TDB: 1950-01-01 00:00
STEP = 20.0  # days
SAMPLES = 1096  # up to 2009-12-16
SUN, PLANETS = 10, {"jupiter": 5, "saturn": 6, "uranus": 7, "neptune": 8}  # SPK numbers of the barycentres

kernel = SPK.open(os.path.join(skyfield_data.get_skyfield_data_path(), "de421.bsp"))
days = START + STEP * np.arange(SAMPLES)
sun = kernel[0, SUN].compute(days)
seen = np.stack([kernel[0, body].compute(days) - sun for body in PLANETS.values()]) / AU  # [planet, xyz, day]
table = seen.transpose(2, 1, 0).reshape(SAMPLES, 12)

print("# Heliocentric positions of the barycentres of the four giant planets with their moons.")
print("# Source: JPL DE421 (de421.bsp in PyPI package skyfield-data 7.0.0); made by extract.py.")
print("# Unit: au (149597870.699626 km).  Frame: ICRF (equator and equinox of J2000).  Time: Julian days, TDB.")
print("# Every 20 days from 1950-01-01; columns:")
print("jd," + ",".join(f"{axis}_{body}" for axis in "xyz" for body in PLANETS))
for day, row in zip(days, table):
    print(f"{day:.1f}," + ",".join(f"{value:.12f}" for value in row))
