"""Names, expected units and evidence grades of the OBIS codes met in German electricity meters.

Data only; :mod:`e320proto.obis` loads it when the first name is asked for. The names are this
project's own wording. The grades say how well an entry is known:

===== =============================================================
grade evidence
===== =============================================================
MAN   the manual of the E320
OBS   seen in real telegrams or in public device software
FNN   manuals of sibling FNN base meters agree
GEN   general knowledge of the standard, not verified on a meter
===== =============================================================
"""

from __future__ import annotations

from typing import NamedTuple


class NamedObject(NamedTuple):
    """What is known about one OBIS code.

    Args:
        unit_code: DLMS unit code the value is expected in, 255 for a count; ``None`` where no unit applies.
        en: English name.
        de: German name.
        grade: evidence, one of ``MAN OBS FNN GEN``.

    >>> NAMES["1-0:1.8.0*255"].de
    'Wirkarbeit Bezug, gesamt'
    """

    unit_code: int | None
    en: str
    de: str
    grade: str


NAMES: dict[str, NamedObject] = {
    "1-0:1.8.0*255": NamedObject(30, "Active energy import, total", "Wirkarbeit Bezug, gesamt", "OBS"),
    "1-0:1.8.1*255": NamedObject(30, "Active energy import, tariff 1", "Wirkarbeit Bezug, Tarif 1", "GEN"),
    "1-0:1.8.2*255": NamedObject(30, "Active energy import, tariff 2", "Wirkarbeit Bezug, Tarif 2", "GEN"),
    "1-0:1.8.3*255": NamedObject(30, "Active energy import, tariff 3", "Wirkarbeit Bezug, Tarif 3", "GEN"),
    "1-0:1.8.4*255": NamedObject(30, "Active energy import, tariff 4", "Wirkarbeit Bezug, Tarif 4", "GEN"),
    "1-0:2.8.0*255": NamedObject(30, "Active energy export, total", "Wirkarbeit Lieferung, gesamt", "OBS"),
    "1-0:2.8.1*255": NamedObject(30, "Active energy export, tariff 1", "Wirkarbeit Lieferung, Tarif 1", "GEN"),
    "1-0:2.8.2*255": NamedObject(30, "Active energy export, tariff 2", "Wirkarbeit Lieferung, Tarif 2", "GEN"),
    "1-0:2.8.3*255": NamedObject(30, "Active energy export, tariff 3", "Wirkarbeit Lieferung, Tarif 3", "GEN"),
    "1-0:2.8.4*255": NamedObject(30, "Active energy export, tariff 4", "Wirkarbeit Lieferung, Tarif 4", "GEN"),
    "1-0:3.8.0*255": NamedObject(
        32, "Reactive energy positive (QI+QII), total", "Blindarbeit positiv (QI+QII), gesamt", "GEN"
    ),
    "1-0:3.8.1*255": NamedObject(
        32, "Reactive energy positive (QI+QII), tariff 1", "Blindarbeit positiv (QI+QII), Tarif 1", "GEN"
    ),
    "1-0:3.8.2*255": NamedObject(
        32, "Reactive energy positive (QI+QII), tariff 2", "Blindarbeit positiv (QI+QII), Tarif 2", "GEN"
    ),
    "1-0:4.8.0*255": NamedObject(
        32, "Reactive energy negative (QIII+QIV), total", "Blindarbeit negativ (QIII+QIV), gesamt", "GEN"
    ),
    "1-0:4.8.1*255": NamedObject(
        32, "Reactive energy negative (QIII+QIV), tariff 1", "Blindarbeit negativ (QIII+QIV), Tarif 1", "GEN"
    ),
    "1-0:4.8.2*255": NamedObject(
        32, "Reactive energy negative (QIII+QIV), tariff 2", "Blindarbeit negativ (QIII+QIV), Tarif 2", "GEN"
    ),
    "1-0:5.8.0*255": NamedObject(
        32, "Reactive energy quadrant I (+Ri), total", "Blindarbeit Quadrant I (+Ri), gesamt", "MAN"
    ),
    "1-0:6.8.0*255": NamedObject(
        32, "Reactive energy quadrant II (+Rc), total", "Blindarbeit Quadrant II (+Rc), gesamt", "MAN"
    ),
    "1-0:7.8.0*255": NamedObject(
        32, "Reactive energy quadrant III (-Ri), total", "Blindarbeit Quadrant III (-Ri), gesamt", "MAN"
    ),
    "1-0:8.8.0*255": NamedObject(
        32, "Reactive energy quadrant IV (-Rc), total", "Blindarbeit Quadrant IV (-Rc), gesamt", "MAN"
    ),
    "1-0:9.8.0*255": NamedObject(31, "Apparent energy import, total", "Scheinarbeit Bezug, gesamt", "GEN"),
    "1-0:10.8.0*255": NamedObject(31, "Apparent energy export, total", "Scheinarbeit Lieferung, gesamt", "GEN"),
    "1-0:15.8.0*255": NamedObject(30, "Active energy, sum of magnitudes", "Wirkarbeit, Summe der Beträge", "GEN"),
    "1-0:16.8.0*255": NamedObject(
        30, "Active energy, import minus export", "Wirkarbeit, Saldo Bezug minus Lieferung", "GEN"
    ),
    "1-0:21.8.0*255": NamedObject(30, "Active energy import L1", "Wirkarbeit Bezug L1", "GEN"),
    "1-0:22.8.0*255": NamedObject(30, "Active energy export L1", "Wirkarbeit Lieferung L1", "GEN"),
    "1-0:41.8.0*255": NamedObject(30, "Active energy import L2", "Wirkarbeit Bezug L2", "GEN"),
    "1-0:42.8.0*255": NamedObject(30, "Active energy export L2", "Wirkarbeit Lieferung L2", "GEN"),
    "1-0:61.8.0*255": NamedObject(30, "Active energy import L3", "Wirkarbeit Bezug L3", "GEN"),
    "1-0:62.8.0*255": NamedObject(30, "Active energy export L3", "Wirkarbeit Lieferung L3", "GEN"),
    "1-0:1.2.0*255": NamedObject(
        27, "Active power import, cumulated maximum", "Wirkleistung Bezug, kumuliertes Maximum", "GEN"
    ),
    "1-0:1.4.0*255": NamedObject(
        27, "Active power import, running average", "Wirkleistung Bezug, laufender Mittelwert", "GEN"
    ),
    "1-0:1.5.0*255": NamedObject(
        27, "Active power import, last average", "Wirkleistung Bezug, letzter Mittelwert", "GEN"
    ),
    "1-0:1.6.0*255": NamedObject(27, "Active power import, maximum", "Wirkleistung Bezug, Maximum", "GEN"),
    "1-0:1.6.1*255": NamedObject(
        27, "Active power import, maximum tariff 1", "Wirkleistung Bezug, Maximum Tarif 1", "GEN"
    ),
    "1-0:1.6.2*255": NamedObject(
        27, "Active power import, maximum tariff 2", "Wirkleistung Bezug, Maximum Tarif 2", "GEN"
    ),
    "1-0:1.9.0*255": NamedObject(
        30, "Active energy import, since last reset", "Wirkarbeit Bezug, Vorschub seit Rückstellung", "GEN"
    ),
    "1-0:1.29.0*255": NamedObject(
        30, "Active energy import, per profile interval", "Wirkarbeit Bezug, je Registrierperiode", "GEN"
    ),
    "1-0:2.2.0*255": NamedObject(
        27, "Active power export, cumulated maximum", "Wirkleistung Lieferung, kumuliertes Maximum", "GEN"
    ),
    "1-0:2.4.0*255": NamedObject(
        27, "Active power export, running average", "Wirkleistung Lieferung, laufender Mittelwert", "GEN"
    ),
    "1-0:2.5.0*255": NamedObject(
        27, "Active power export, last average", "Wirkleistung Lieferung, letzter Mittelwert", "GEN"
    ),
    "1-0:2.6.0*255": NamedObject(27, "Active power export, maximum", "Wirkleistung Lieferung, Maximum", "GEN"),
    "1-0:2.6.1*255": NamedObject(
        27, "Active power export, maximum tariff 1", "Wirkleistung Lieferung, Maximum Tarif 1", "GEN"
    ),
    "1-0:2.6.2*255": NamedObject(
        27, "Active power export, maximum tariff 2", "Wirkleistung Lieferung, Maximum Tarif 2", "GEN"
    ),
    "1-0:2.9.0*255": NamedObject(
        30, "Active energy export, since last reset", "Wirkarbeit Lieferung, Vorschub seit Rückstellung", "GEN"
    ),
    "1-0:2.29.0*255": NamedObject(
        30, "Active energy export, per profile interval", "Wirkarbeit Lieferung, je Registrierperiode", "GEN"
    ),
    "1-0:1.7.0*255": NamedObject(27, "Active power import, instantaneous", "Wirkleistung Bezug, momentan", "GEN"),
    "1-0:2.7.0*255": NamedObject(27, "Active power export, instantaneous", "Wirkleistung Lieferung, momentan", "GEN"),
    "1-0:3.7.0*255": NamedObject(
        29, "Reactive power positive, instantaneous", "Blindleistung positiv, momentan", "GEN"
    ),
    "1-0:4.7.0*255": NamedObject(
        29, "Reactive power negative, instantaneous", "Blindleistung negativ, momentan", "GEN"
    ),
    "1-0:9.7.0*255": NamedObject(28, "Apparent power import, instantaneous", "Scheinleistung Bezug, momentan", "GEN"),
    "1-0:10.7.0*255": NamedObject(
        28, "Apparent power export, instantaneous", "Scheinleistung Lieferung, momentan", "GEN"
    ),
    "1-0:11.7.0*255": NamedObject(33, "Current, any phase, instantaneous", "Strom, beliebige Phase, momentan", "GEN"),
    "1-0:12.7.0*255": NamedObject(
        35, "Voltage, any phase, instantaneous", "Spannung, beliebige Phase, momentan", "GEN"
    ),
    "1-0:13.7.0*255": NamedObject(255, "Power factor, instantaneous", "Leistungsfaktor, momentan", "GEN"),
    "1-0:14.7.0*255": NamedObject(44, "Mains frequency, instantaneous", "Netzfrequenz, momentan", "GEN"),
    "1-0:15.7.0*255": NamedObject(
        27, "Active power, sum of magnitudes, instantaneous", "Wirkleistung, Summe der Beträge, momentan", "GEN"
    ),
    "1-0:16.7.0*255": NamedObject(
        27, "Active power balance, instantaneous (signed)", "Wirkleistung Saldo, momentan (mit Vorzeichen)", "OBS"
    ),
    "1-0:21.7.0*255": NamedObject(27, "Active power import L1", "Wirkleistung Bezug L1", "GEN"),
    "1-0:22.7.0*255": NamedObject(27, "Active power export L1", "Wirkleistung Lieferung L1", "GEN"),
    "1-0:23.7.0*255": NamedObject(29, "Reactive power positive L1", "Blindleistung positiv L1", "GEN"),
    "1-0:24.7.0*255": NamedObject(29, "Reactive power negative L1", "Blindleistung negativ L1", "GEN"),
    "1-0:29.7.0*255": NamedObject(28, "Apparent power L1", "Scheinleistung L1", "GEN"),
    "1-0:31.7.0*255": NamedObject(33, "Current L1", "Strom L1", "OBS"),
    "1-0:32.7.0*255": NamedObject(35, "Voltage L1", "Spannung L1", "OBS"),
    "1-0:33.7.0*255": NamedObject(255, "Power factor L1", "Leistungsfaktor L1", "GEN"),
    "1-0:36.7.0*255": NamedObject(27, "Active power balance L1", "Wirkleistung Saldo L1", "OBS"),
    "1-0:41.7.0*255": NamedObject(27, "Active power import L2", "Wirkleistung Bezug L2", "GEN"),
    "1-0:42.7.0*255": NamedObject(27, "Active power export L2", "Wirkleistung Lieferung L2", "GEN"),
    "1-0:43.7.0*255": NamedObject(29, "Reactive power positive L2", "Blindleistung positiv L2", "GEN"),
    "1-0:44.7.0*255": NamedObject(29, "Reactive power negative L2", "Blindleistung negativ L2", "GEN"),
    "1-0:49.7.0*255": NamedObject(28, "Apparent power L2", "Scheinleistung L2", "GEN"),
    "1-0:51.7.0*255": NamedObject(33, "Current L2", "Strom L2", "OBS"),
    "1-0:52.7.0*255": NamedObject(35, "Voltage L2", "Spannung L2", "OBS"),
    "1-0:53.7.0*255": NamedObject(255, "Power factor L2", "Leistungsfaktor L2", "GEN"),
    "1-0:56.7.0*255": NamedObject(27, "Active power balance L2", "Wirkleistung Saldo L2", "OBS"),
    "1-0:61.7.0*255": NamedObject(27, "Active power import L3", "Wirkleistung Bezug L3", "GEN"),
    "1-0:62.7.0*255": NamedObject(27, "Active power export L3", "Wirkleistung Lieferung L3", "GEN"),
    "1-0:63.7.0*255": NamedObject(29, "Reactive power positive L3", "Blindleistung positiv L3", "GEN"),
    "1-0:64.7.0*255": NamedObject(29, "Reactive power negative L3", "Blindleistung negativ L3", "GEN"),
    "1-0:69.7.0*255": NamedObject(28, "Apparent power L3", "Scheinleistung L3", "GEN"),
    "1-0:71.7.0*255": NamedObject(33, "Current L3", "Strom L3", "OBS"),
    "1-0:72.7.0*255": NamedObject(35, "Voltage L3", "Spannung L3", "OBS"),
    "1-0:73.7.0*255": NamedObject(255, "Power factor L3", "Leistungsfaktor L3", "GEN"),
    "1-0:76.7.0*255": NamedObject(27, "Active power balance L3", "Wirkleistung Saldo L3", "OBS"),
    "1-0:31.6.0*255": NamedObject(33, "Current L1, maximum", "Strom L1, Maximum", "GEN"),
    "1-0:51.6.0*255": NamedObject(33, "Current L2, maximum", "Strom L2, Maximum", "GEN"),
    "1-0:71.6.0*255": NamedObject(33, "Current L3, maximum", "Strom L3, Maximum", "GEN"),
    "1-0:91.7.0*255": NamedObject(33, "Neutral current", "Strom Neutralleiter", "GEN"),
    "1-0:81.7.1*255": NamedObject(8, "Phase angle U L2 to U L1", "Phasenwinkel U L2 zu U L1", "OBS"),
    "1-0:81.7.2*255": NamedObject(8, "Phase angle U L3 to U L1", "Phasenwinkel U L3 zu U L1", "OBS"),
    "1-0:81.7.4*255": NamedObject(8, "Phase angle I L1 to U L1", "Phasenwinkel I L1 zu U L1", "OBS"),
    "1-0:81.7.15*255": NamedObject(8, "Phase angle I L2 to U L2", "Phasenwinkel I L2 zu U L2", "OBS"),
    "1-0:81.7.26*255": NamedObject(8, "Phase angle I L3 to U L3", "Phasenwinkel I L3 zu U L3", "OBS"),
    "1-0:0.0.0*255": NamedObject(None, "Owner number, device address", "Eigentumsnummer, Geräteadresse", "GEN"),
    "1-0:0.0.9*255": NamedObject(
        None, "Device identification (older meters)", "Geräteidentifikation (ältere Zähler)", "OBS"
    ),
    "1-0:0.1.0*255": NamedObject(255, "Billing period counter", "Rückstellzähler", "GEN"),
    "1-0:0.1.2*255": NamedObject(None, "Time of last billing reset", "Zeitpunkt der letzten Rückstellung", "GEN"),
    "1-0:0.2.0*255": NamedObject(None, "Firmware version", "Firmwareversion", "MAN"),
    "1-0:0.2.1*255": NamedObject(None, "Parameter record number", "Parametersatznummer", "GEN"),
    "1-0:0.2.2*255": NamedObject(None, "Tariff switching program number", "Schaltuhrprogramm-Nummer", "GEN"),
    "1-0:0.2.8*255": NamedObject(None, "Firmware signature", "Firmwaresignatur", "GEN"),
    "1-0:0.3.0*255": NamedObject(45, "Test LED constant, active", "Konstante Prüf-LED, Wirkarbeit", "GEN"),
    "1-0:0.3.1*255": NamedObject(46, "Test LED constant, reactive", "Konstante Prüf-LED, Blindarbeit", "GEN"),
    "1-0:0.3.3*255": NamedObject(45, "Pulse output constant, active", "Impulskonstante Ausgang, Wirkarbeit", "GEN"),
    "1-0:0.3.4*255": NamedObject(46, "Pulse output constant, reactive", "Impulskonstante Ausgang, Blindarbeit", "GEN"),
    "1-0:0.4.2*255": NamedObject(255, "Current transformer ratio", "Stromwandlerverhältnis", "GEN"),
    "1-0:0.4.3*255": NamedObject(255, "Voltage transformer ratio", "Spannungswandlerverhältnis", "GEN"),
    "1-0:0.6.0*255": NamedObject(35, "Nominal voltage", "Nennspannung", "GEN"),
    "1-0:0.6.1*255": NamedObject(33, "Nominal current", "Nennstrom", "GEN"),
    "1-0:0.6.2*255": NamedObject(44, "Nominal frequency", "Nennfrequenz", "GEN"),
    "1-0:0.6.3*255": NamedObject(33, "Maximum current", "Grenzstrom", "GEN"),
    "1-0:0.8.0*255": NamedObject(7, "Averaging period", "Messperiode", "GEN"),
    "1-0:0.8.4*255": NamedObject(7, "Load profile interval", "Registrierperiode Lastgang", "GEN"),
    "1-0:0.9.1*255": NamedObject(None, "Time of day", "Uhrzeit", "GEN"),
    "1-0:0.9.2*255": NamedObject(None, "Date", "Datum", "GEN"),
    "1-0:0.9.5*255": NamedObject(None, "Day of the week", "Wochentag", "GEN"),
    "0-0:1.0.0*255": NamedObject(None, "Clock", "Uhr", "GEN"),
    "1-0:96.1.0*255": NamedObject(
        None, "Device id (server id in FNN meters)", "Gerätekennung (Server-ID bei FNN-Zählern)", "OBS"
    ),
    "0-0:96.1.1*255": NamedObject(None, "Device id 2", "Gerätekennung 2", "GEN"),
    "0-0:96.1.10*255": NamedObject(None, "Metering point id", "Messlokation", "GEN"),
    "0-0:96.2.0*255": NamedObject(255, "Number of parameter changes", "Anzahl Parametrierungen", "GEN"),
    "0-0:96.2.1*255": NamedObject(None, "Date of last parameter change", "Datum der letzten Parametrierung", "GEN"),
    "0-0:96.2.5*255": NamedObject(None, "Date of last calibration", "Datum der letzten Kalibrierung", "GEN"),
    "0-0:96.3.1*255": NamedObject(None, "State of control inputs", "Zustand der Steuereingänge", "GEN"),
    "0-0:96.3.2*255": NamedObject(None, "State of control outputs", "Zustand der Steuerausgänge", "GEN"),
    "0-0:96.3.10*255": NamedObject(None, "Disconnect control", "Schaltgerät-Steuerung", "GEN"),
    "0-0:96.4.0*255": NamedObject(None, "State of internal control signals", "Zustand interner Steuersignale", "GEN"),
    "1-0:96.5.0*255": NamedObject(None, "Status word (FNN)", "Statuswort (FNN)", "FNN"),
    "0-0:96.5.1*255": NamedObject(None, "Operating status 1", "Betriebsstatus 1", "GEN"),
    "0-0:96.6.0*255": NamedObject(255, "Battery use time", "Batterie-Betriebsdauer", "GEN"),
    "0-0:96.6.1*255": NamedObject(None, "Battery charge", "Batterie-Ladezustand", "GEN"),
    "0-0:96.6.3*255": NamedObject(35, "Battery voltage", "Batteriespannung", "GEN"),
    "0-0:96.7.0*255": NamedObject(
        255, "Number of power failures, all phases", "Anzahl Spannungsausfälle, alle Phasen", "GEN"
    ),
    "0-0:96.7.1*255": NamedObject(255, "Number of power failures, L1", "Anzahl Spannungsausfälle, L1", "GEN"),
    "0-0:96.7.2*255": NamedObject(255, "Number of power failures, L2", "Anzahl Spannungsausfälle, L2", "GEN"),
    "0-0:96.7.3*255": NamedObject(255, "Number of power failures, L3", "Anzahl Spannungsausfälle, L3", "GEN"),
    "0-0:96.7.21*255": NamedObject(
        255, "Number of power failures, any phase", "Anzahl Spannungsausfälle, beliebige Phase", "GEN"
    ),
    "0-0:96.7.9*255": NamedObject(
        255, "Number of long power failures, any phase", "Anzahl langer Spannungsausfälle, beliebige Phase", "GEN"
    ),
    "0-0:96.8.0*255": NamedObject(7, "Operating time, total", "Betriebszeit, gesamt", "GEN"),
    "0-0:96.8.1*255": NamedObject(7, "Operating time, tariff 1", "Betriebszeit, Tarif 1", "GEN"),
    "0-0:96.8.2*255": NamedObject(7, "Operating time, tariff 2", "Betriebszeit, Tarif 2", "GEN"),
    "0-0:96.9.0*255": NamedObject(9, "Ambient temperature", "Umgebungstemperatur", "GEN"),
    "0-0:96.10.1*255": NamedObject(None, "Status register 1", "Statusregister 1", "GEN"),
    "0-0:96.11.0*255": NamedObject(None, "Event code", "Ereigniscode", "GEN"),
    "0-0:96.13.0*255": NamedObject(None, "Consumer message, data port", "Kundennachricht, Datenschnittstelle", "GEN"),
    "0-0:96.13.1*255": NamedObject(None, "Consumer message, display", "Kundennachricht, Anzeige", "GEN"),
    "0-0:96.14.0*255": NamedObject(None, "Active tariff", "Aktiver Tarif", "GEN"),
    "0-0:96.15.0*255": NamedObject(255, "Event counter", "Ereigniszähler", "GEN"),
    "0-0:96.20.0*255": NamedObject(255, "Case openings", "Gehäuseöffnungen", "GEN"),
    "0-0:96.20.5*255": NamedObject(255, "Terminal cover openings", "Klemmendeckelöffnungen", "GEN"),
    "0-0:96.20.15*255": NamedObject(255, "Magnetic field events", "Magnetfeldereignisse", "GEN"),
    "1-0:96.50.1*1": NamedObject(None, "Manufacturer code", "Herstellerkennung", "OBS"),
    "1-0:96.90.2*255": NamedObject(None, "Firmware checksum (C.90.2)", "Firmware-Prüfsumme (C.90.2)", "MAN"),
    "1-0:96.90.2*1": NamedObject(None, "Firmware checksum, storage 1", "Firmware-Prüfsumme, Speicher 1", "OBS"),
    "1-0:97.97.0*255": NamedObject(None, "Error register (F.F)", "Fehlerregister (F.F)", "MAN"),
    "0-0:97.98.0*255": NamedObject(None, "Alarm register", "Alarmregister", "GEN"),
    "1-0:98.1.0*255": NamedObject(None, "Billing values 1", "Abrechnungswerte 1", "GEN"),
    "1-0:98.10.255*255": NamedObject(
        None, "INFO list of current values (listName)", "INFO-Liste aktueller Werte (listName)", "OBS"
    ),
    "1-0:99.1.0*255": NamedObject(None, "Load profile 1", "Lastgang 1", "GEN"),
    "1-0:99.2.0*255": NamedObject(None, "Load profile 2", "Lastgang 2", "GEN"),
    "1-0:99.97.0*255": NamedObject(None, "Power failure log", "Spannungsausfall-Logbuch", "GEN"),
    "1-0:99.98.0*255": NamedObject(None, "Event log", "Ereignislogbuch", "GEN"),
    "1-0:94.49.0*1": NamedObject(None, "Time, seconds counter", "Zeit, Sekundenindex", "FNN"),
    "1-0:94.49.0*7": NamedObject(None, "Crypto reset", "Krypto-Reset", "OBS"),
    "1-0:94.49.1*1": NamedObject(None, "Power shown on the display", "Leistung in der Anzeige", "FNN"),
    "1-0:94.49.1*2": NamedObject(None, "Extended INFO data set", "Erweiterter INFO-Datensatz", "FNN"),
    "1-0:94.49.1*3": NamedObject(None, "Magnetic event counter", "Zähler Magnetereignisse", "FNN"),
    "1-0:94.49.1*4": NamedObject(
        None, "Magnet detection switch and reset", "Magneterkennung schalten und rücksetzen", "FNN"
    ),
    "1-0:94.49.1*7": NamedObject(None, "PIN and data-set choice", "PIN- und Datensatzwahl", "FNN"),
    "1-0:94.49.1*9": NamedObject(
        None, "Cover detection switch and reset", "Deckelerkennung schalten und rücksetzen", "FNN"
    ),
    "1-0:94.49.1*10": NamedObject(None, "Cover event counter", "Zähler Deckelereignisse", "FNN"),
    "1-0:94.49.1*14": NamedObject(None, "Settings survive restart", "Einstellungen bleiben nach Neustart", "FNN"),
    "1-0:94.49.128*2": NamedObject(
        None, "Derived register (gateway logical name)", "Abgeleitetes Register (Gateway-Name)", "OBS"
    ),
    "129-129:199.130.3*255": NamedObject(
        None, "Manufacturer code (older meters)", "Herstellerkennung (ältere Zähler)", "OBS"
    ),
    "129-129:199.130.5*255": NamedObject(
        None, "Public key, 48 bytes (older meters)", "Öffentlicher Schlüssel, 48 Byte (ältere Zähler)", "OBS"
    ),
}
"""Canonical text of a code to what is known about it, 176 codes in groups of one kind."""
