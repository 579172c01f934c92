"""The recordings of real meters that lie outside of this project; tests skip those that are absent."""

from __future__ import annotations

FILES = (
    "DZG_DVS-7412.2_jmberg.bin",
    "DZG_DVS-7420.2V.G2_mtr1_error.bin",
    "DrNeuhaus_SMARTY_ix-130.bin",
    "EMH-ED300L_delivery.bin",
    "EMH_eHZ-IW8E2A5L0EK2P_with_error.bin",
    "EMH_mME40-AE6AKF0K0.bin",
    "EasyMeter_Q3A_A1064V1009.bin",
    "HOLLEY_DTZ541-ZDBA.bin",
    "ISKRA_MT631-D1A52-K0z-H01_with_PIN.bin",
    "ISKRA_MT631-D1A52-K0z-H01_without_PIN.bin",
    "ITRON_OpenWay-3.HZ_without_PIN.bin",
    "dzg_dwsb20_2th_2byte.bin",
    "eBZ_DD3_DD32R06DTA-SMZ1.bin",
)
